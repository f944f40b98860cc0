//! A line that hums or whines: tones, silence and speech are heard beside it.

use super::*;

/// A second of nothing but the line, two of speech, a pause, and then this.
fn beside(hum: &[f32], rest: &[f32], rng: &mut Rng) -> Vec<u8> {
    let mut line = vec![0.0; samples(1.0)];
    line.extend(talk(2.0, rng));
    line.extend(vec![0.0; samples(1.0)]);
    line.extend(rest);
    line.truncate(hum.len());
    add(&mut line, hum, 1.0);
    add_noise(&mut line, dbfs_rms(-52.0), rng);
    to_line(&line, 0.0)
}

fn whine(hz: f32, dbfs: f32) -> Vec<f32> {
    let amplitude = dbfs_rms(dbfs) * 2.0_f32.sqrt();
    let turns = |n: usize| (f64::from(hz) * n as f64 / 8000.0).fract() as f32;
    let sine = |n| amplitude * (turns(n) * std::f32::consts::TAU).sin();
    (0..samples(14.0)).map(sine).collect()
}

#[test]
fn busy_and_dial_tone_end_a_call_on_a_line_that_hums_or_whines() {
    let mut rng = Rng::with_seed(61);
    let lines = [
        whine(1000.0, -36.0),
        whine(3000.0, -32.0),
        whine(450.0, -40.0),
        sounds::hum(14.0, -36.0, &mut rng),
        sounds::hum(14.0, -36.0, &mut rng),
    ];
    for (n, hum) in lines.iter().enumerate() {
        for signal in &PLANS[0].signals[..2] {
            let tone = plan_signal(signal, 10.0, -12.0, 1.0, &mut rng);
            let line = beside(hum, &tone, &mut rng);
            let end = end_of(&line, EndRules::default(), |_| None);
            let wait = end.map_or(10.0, |end| end.at.seconds() - 4.0);
            assert!((1.0..4.0).contains(&wait), "line {n} {signal:?} {end:?}");
        }
    }
}

#[test]
fn a_whine_of_a_dial_tone_s_pitch_is_silence_and_ends_nothing() {
    let mut rng = Rng::with_seed(62);
    for hz in [350.0, 400.0, 425.0, 440.0, 450.0, 1000.0] {
        let line = beside(&whine(hz, -41.0), &vec![0.0; samples(10.0)], &mut rng);
        assert_eq!(end_of(&line, EndRules::default(), |_| None), None, "{hz}");
        let mut silences = observations(&line, &mut || 160)
            .into_iter()
            .filter_map(|observation| match observation.event {
                Event::Activity { now, .. } => Some((now, observation.from.seconds())),
                _ => None,
            });
        let last = silences.next_back();
        assert!(
            matches!(last, Some((Activity::Silence, from)) if from < 4.0),
            "{hz} {last:?}"
        );
    }
}
