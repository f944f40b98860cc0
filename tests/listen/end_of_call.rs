//! Calls end when the far end is gone and not before.

use super::*;

#[test]
fn every_tone_of_every_plan_ends_the_call_and_ringback_does_not() {
    let mut rng = Rng::with_seed(11);
    for plan in PLANS {
        for signal in plan.signals.iter().chain([&HOWLER]) {
            let mut line = talk(1.5, &mut rng);
            let start = line.len() as u64;
            line.extend(plan_signal(signal, 6.0, -16.0, 1.0, &mut rng));
            add_noise(&mut line, dbfs_rms(-45.0), &mut rng);
            let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None);
            if signal.meaning == Meaning::Ringback {
                assert_eq!(end, None, "{:?} {signal:?}", plan.countries);
                continue;
            }
            let end = end.unwrap_or_else(|| panic!("{:?} {signal:?}", plan.countries));
            assert!(end.at.0 > start + 8000, "{end:?} {signal:?}");
            let kept = samples_to_keep(line.len() as u64, Some(&end));
            assert!(kept <= start + 8000 + 400, "{kept} for {start}, {signal:?}");
        }
    }
}

#[test]
fn false_codes_in_music_speech_and_crying_end_nothing() {
    let mut rng = Rng::with_seed(21);
    for make in [
        sounds::music,
        sounds::crying,
        sounds::menu,
        sounds::fan,
        talk,
    ] {
        let mut line = make(12.0, &mut rng);
        level_to(&mut line, -20.0);
        add_noise(&mut line, dbfs_rms(-48.0), &mut rng);
        let end = end_of(&to_line(&line, 0.0), EndRules::default(), |at| {
            (at.0 % 8000 < 128).then_some(LineCode::Busy)
        });
        assert_eq!(end, None);
    }
}

#[test]
fn where_there_is_no_audio_a_code_has_to_be_repeated() {
    use LineCode::{Busy, DialTone, LoopBreak, NoCarrier, Quiet, Reorder, Silence};
    // Each with its time in ms.
    for (codes, ends_at) in [
        (&[(5000, Busy)][..], None),
        (&[(5000, Busy), (9000, Busy)], Some(9000)),
        // The same report.
        (&[(5000, Busy), (5010, Busy)], None),
        (
            &[(5000, Busy), (5400, Busy), (5800, Busy), (6200, Busy)],
            Some(6200),
        ),
        (&[(5000, Busy), (20_000, Busy)], None),
        (&[(5000, Busy), (7000, DialTone)], None),
        (&[(5000, Busy), (7000, DialTone), (9000, Busy)], None),
        (&[(5000, DialTone), (8000, DialTone)], Some(8000)),
        (&[(5000, Reorder), (9000, Reorder)], Some(9000)),
        (&[(5000, LoopBreak)], None),
        (&[(5000, LoopBreak), (7000, LoopBreak)], Some(7000)),
        // Our own going off-hook.
        (&[(300, LoopBreak), (5000, LoopBreak)], None),
        (&[(100, NoCarrier)], Some(100)),
        (&[(5000, Silence), (6000, Quiet), (7000, Quiet)], None),
    ] {
        let mut rules = EndOfCall::new(EndRules::CODES_ONLY);
        let end = codes.iter().find_map(|&(at, code)| {
            let at = Position(0).after(Duration::from_millis(at));
            rules.code(code, at)
        });
        let end_ms = end.map(|end| end.at.elapsed().as_millis());
        assert_eq!(end_ms, ends_at, "{codes:?}");
    }
}

/// How a call of speech ends that goes on like this after two seconds, the modem having said then that
/// the loop was broken.
fn after_a_loop_break(rest: &[f32], noise_dbfs: f32, rng: &mut Rng) -> Option<EndReason> {
    let mut line = talk(2.0, rng);
    line.extend(rest);
    add_noise(&mut line, dbfs_rms(noise_dbfs), rng);
    let line = to_line(&line, 0.0);
    let end = end_of(&line, EndRules::default(), |at| {
        (at.0 == 16_000).then_some(LineCode::LoopBreak)
    });
    end.map(|end| end.reason)
}

#[test]
fn a_loop_break_ends_the_call_if_only_silence_or_dial_tone_follows() {
    let mut rng = Rng::with_seed(31);
    let silence = vec![0.0; samples(18.0)];
    for noise_dbfs in [-80.0, -50.0, -44.0] {
        let reason = after_a_loop_break(&silence, noise_dbfs, &mut rng);
        assert_eq!(reason, Some(EndReason::LoopBreak), "{noise_dbfs}");
    }
    let dial = plan_signal(&PLANS[0].signals[0], 5.0, -15.0, 1.0, &mut rng);
    let reason = after_a_loop_break(&dial, -50.0, &mut rng);
    assert_eq!(reason, Some(EndReason::DialTone));
}

#[test]
fn a_false_loop_break_ends_nothing() {
    let mut rng = Rng::with_seed(32);
    let speech = talk(10.0, &mut rng);
    let mut fan = sounds::fan(12.0, &mut rng);
    level_to(&mut fan, -30.0);
    let mut pause = vec![0.0; samples(6.0)];
    pause.extend(talk(9.0, &mut rng));
    // A pure tone held for long, as of a flute; then nothing for a while.
    let mut music: Vec<f32> = (0..samples(6.0))
        .map(|n| 0.2 * (n as f32 / 8000.0 * std::f32::consts::TAU * 587.3).sin())
        .collect();
    music.extend(vec![0.0; samples(6.0)]);
    let mut long_pause = vec![0.0; samples(15.0)];
    long_pause.extend(talk(9.0, &mut rng));
    assert_eq!(after_a_loop_break(&long_pause, -46.0, &mut rng), None);
    // The relay's own noise when we picked up, and a caller who says nothing.
    let silent = vec![128; samples(15.0)];
    let end = end_of(&silent, EndRules::default(), |at| {
        (at.0 < 8000).then_some(LineCode::LoopBreak)
    });
    assert_eq!(end, None);
    for (what, rest) in [
        ("speech", speech),
        ("fan", fan),
        ("pause", pause),
        ("music", music),
    ] {
        let reason = after_a_loop_break(&rest, -52.0, &mut rng);
        assert_eq!(reason, None, "{what}");
    }
}

#[test]
fn a_dial_tone_that_is_not_steady_at_first_ends_the_call() {
    let mut rng = Rng::with_seed(34);
    let mut line = talk(2.0, &mut rng);
    let word = line.len();
    let mut dial = plan_signal(&PLANS[3].signals[0], 6.0, -20.0, 1.0, &mut rng);
    for value in &mut dial[..samples(0.5)] {
        *value *= 2.0;
    }
    line.extend(dial);
    add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
    let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None).expect("over");
    assert_eq!(end.reason, EndReason::DialTone);
    let wait = end.at.seconds() - word as f64 / 8000.0;
    assert!(wait <= 3.5, "{wait} s");
}

#[test]
fn a_slow_busy_tone_that_begins_in_the_last_word_ends_the_call_in_time() {
    let busy = PLANS
        .iter()
        .flat_map(|plan| plan.signals)
        .find(|signal| signal.meaning == Meaning::Busy && signal.cadence == [(750, 750)])
        .expect("a slow busy tone");
    for seed in 33..45 {
        let mut rng = Rng::with_seed(seed);
        let mut line = talk(2.0, &mut rng);
        let word = line.len();
        // Half of the first pulse is covered by speech.
        line.extend(speech(0.375, &mut rng).iter().map(|x| 0.3 * x));
        line.resize(word + samples(8.0), 0.0);
        let tone = plan_signal(busy, 8.0, -16.0, 1.0, &mut rng);
        for (value, more) in line[word..].iter_mut().zip(&tone) {
            *value += more;
        }
        add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
        let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None).expect("over");
        let wait = end.at.seconds() - word as f64 / 8000.0;
        assert!(wait <= 4.0, "seed {seed}: {wait} s, {end:?}");
    }
}

/// Something else of nearly the tone's pitch goes before, so that the first pulse seems too long.
#[test]
fn a_slow_busy_tone_that_runs_into_a_sound_of_its_pitch_ends_the_call_in_time() {
    let mut rng = Rng::with_seed(35);
    for before in [40, 80, 120, 160] {
        let mut line = talk(2.0, &mut rng);
        let start = line.len();
        let pulse = |n: usize, ms: usize| {
            let sine = (n as f32 / 8000.0 * std::f32::consts::TAU * 404.0).sin();
            if n < 8 * ms { 0.1 * sine } else { 0.0 }
        };
        line.extend((0..8 * before).map(|n| 0.9 * pulse(n, before)));
        for _ in 0..4 {
            line.extend((0..8 * 1500).map(|n| pulse(n, 750)));
        }
        add_noise(&mut line, dbfs_rms(-45.0), &mut rng);
        let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None).expect("over");
        let wait = end.at.seconds() - start as f64 / 8000.0;
        assert!(wait <= 4.0, "{before} ms: {wait} s, {end:?}");
    }
}

/// What is seen first of each pulse has not its pitch, as with several pitches that begin in a window's edge.
#[test]
fn a_tone_whose_pulses_begin_with_a_faint_sound_of_another_pitch_ends_the_call() {
    let mut line = vec![0.0; 8000];
    line.extend((0..8 * 5000).map(|n| {
        let wave = |hz: f32| (n as f32 / 8000.0 * std::f32::consts::TAU * hz).sin();
        match n % 8000 {
            0..240 => 0.02 * wave(500.0),
            240..4240 => 0.2 * wave(425.0),
            _ => 0.0,
        }
    }));
    add_noise(&mut line, dbfs_rms(-50.0), &mut Rng::with_seed(38));
    let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None);
    assert_eq!(end.map(|end| end.reason), Some(EndReason::Busy));
}

/// The pitches of a faint dial tone seem to differ in loudness for a moment, as noise makes them.
#[test]
fn a_dial_tone_whose_pitches_are_not_quite_steady_ends_the_call_in_time() {
    let mut line = vec![0.0; 8000];
    line.extend((0..8 * 4000).map(|n| {
        let wave = |hz: f32| (n as f32 / 8000.0 * std::f32::consts::TAU * hz).sin();
        let more = if (1000..1400).contains(&(n / 8)) {
            0.05
        } else {
            0.0
        };
        0.03 * ((1.0 - more) * wave(330.0) + (1.0 + more) * wave(440.0))
    }));
    add_noise(&mut line, dbfs_rms(-46.0), &mut Rng::with_seed(37));
    let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None).expect("over");
    assert_eq!(end.reason, EndReason::DialTone);
    assert!(end.at.seconds() <= 4.0, "{end:?}");
}

/// How a call ends in which this chord is held for four seconds after some speech.
fn end_by_chord(parts: &[(f32, f32)], country: Option<&str>, noise_dbfs: f32) -> Option<EndReason> {
    let mut rng = Rng::with_seed(81);
    let mut line = talk(1.0, &mut rng);
    line.extend((0..samples(4.0)).map(|n| {
        let wave = |&(hz, amplitude): &(f32, f32)| {
            amplitude * (n as f32 / 8000.0 * std::f32::consts::TAU * hz).sin()
        };
        parts.iter().map(wave).sum::<f32>()
    }));
    add_noise(&mut line, dbfs_rms(noise_dbfs), &mut rng);
    let plan = country.and_then(TonePlan::for_country);
    let tones = plan.map_or(ToneSet::Any, ToneSet::Country);
    let timeline = Timeline::of(to_line(&line, 0.0), tones, EndRules::default());
    timeline.entries.iter().find_map(|e| match e.happening {
        Happening::End(end) => Some(end.reason),
        _ => None,
    })
}

#[test]
fn a_chord_with_a_pitch_that_is_no_plans_ends_nothing() {
    for country in [None, Some("FR")] {
        for other in [
            220.0, 250.0, 262.0, 280.0, 294.0, 300.0, 315.0, 370.0, 466.0, 660.0,
        ] {
            let chord = [(440.0, 0.15), (other, 0.15)];
            let end = end_by_chord(&chord, country, -50.0);
            assert_eq!(end, None, "440 + {other} Hz, {country:?}");
        }
        let hum_of_a_fan = [(419.6, 0.15), (280.0, 0.08)];
        assert_eq!(end_by_chord(&hum_of_a_fan, country, -38.0), None);
    }
    for (chord, country) in [
        ([440.0, 330.0], "US"),
        ([440.0, 370.0], "GB"),
        ([425.0, 400.0], "GB"),
        ([425.0, 375.0], "GB"),
    ] {
        let parts = chord.map(|hz| (hz, 0.15));
        assert_eq!(
            end_by_chord(&parts, Some(country), -50.0),
            None,
            "{chord:?}"
        );
    }
    // Near the tones of Australia (413 + 438 Hz), India and South Africa (400 Hz, modulated), all of which
    // are one broad peak for a short window. The last is G sharp and A.
    for chord in [
        [425.0, 375.0],
        [425.0, 400.0],
        [425.0, 413.0],
        [425.0, 450.0],
        [440.0, 392.0],
        [440.0, 415.3],
    ] {
        for fainter in [0.15, 0.08] {
            let parts = [(chord[0], 0.15), (chord[1], fainter)];
            assert_eq!(end_by_chord(&parts, None, -50.0), None, "{parts:?}");
        }
    }
    let even_triad = [375.0, 400.0, 425.0].map(|hz| (hz, 0.1));
    assert_eq!(end_by_chord(&even_triad, Some("IN"), -50.0), None);
    // A held note of one pitch that sways: 425 Hz with 0.5 % of vibrato, the same with tremolo.
    for sidebands in [0.03, -0.03] {
        let parts = [(425.0, 0.15), (419.5, 0.03), (430.5, sidebands)];
        assert_eq!(end_by_chord(&parts, None, -50.0), None, "{parts:?}");
    }
    // A sine is taken for the tone within about 2 %.
    for hz in [413.0, 437.5] {
        assert_eq!(end_by_chord(&[(hz, 0.2)], Some("DE"), -50.0), None, "{hz}");
    }
}

#[test]
fn a_dial_tone_with_twist_noise_and_hum_is_one() {
    let dial = Some(EndReason::DialTone);
    for error in [0.985, 1.0, 1.015] {
        for (low, high) in [(0.15, 0.15), (0.15, 0.1), (0.1, 0.15)] {
            for (country, first, second) in [
                ("US", 350.0, 440.0),
                ("FR", 330.0, 440.0),
                ("AU", 413.0, 438.0),
            ] {
                // 50 Hz and 60 Hz with their overtones, each as an exchange's wiring picks it up.
                for mains in [50.0, 60.0] {
                    let mut parts = vec![(first * error, low), (second * error, high)];
                    parts.extend((1..=5_u8).map(|n| (mains * f32::from(n), 0.06 / f32::from(n))));
                    for country in [None, Some(country)] {
                        let end = end_by_chord(&parts, country, -29.0);
                        assert_eq!(end, dial, "{country:?} {parts:?}");
                    }
                }
            }
        }
        let end = end_by_chord(&[(425.0 * error, 0.1)], Some("DE"), -33.0);
        assert_eq!(end, dial, "425 Hz × {error}");
    }
}

#[test]
fn a_slow_tone_that_begins_anywhere_in_its_cycle_ends_the_call_in_time() {
    let mut seen = Vec::new();
    let slow = PLANS.iter().flat_map(|plan| plan.signals).filter(|signal| {
        let fresh = signal.meaning != Meaning::Ringback
            && signal.cycle_ms() >= 1400
            && !seen.contains(&signal.cadence);
        seen.push(signal.cadence);
        fresh
    });
    let mut rng = Rng::with_seed(71);
    for signal in slow {
        let cycle = signal.cycle_ms() as f32 / 1000.0;
        let least = if signal.meaning == Meaning::Dial {
            3.0
        } else {
            4.0_f32
        };
        let limit = (2.0 * cycle + 0.5).max(least);
        // The last: so little is left of the first pulse that it is not heard.
        let cut = (f32::from(signal.cadence[0].0) - 20.0) / 1000.0 / cycle;
        for part in [0.05, 0.15, 0.25, 0.4, 0.55, 0.7, cut] {
            let mut line = talk(2.0, &mut rng);
            let tone = plan_signal(signal, limit + 2.0 + 2.0 * cycle, -18.0, 1.0, &mut rng);
            let tone = &tone[samples(part * cycle)..];
            let pause = tone.iter().take_while(|&&x| x == 0.0).count();
            line.extend([0.0; 2400]);
            let start = line.len() + pause;
            line.extend(tone);
            add_noise(&mut line, dbfs_rms(-50.0), &mut rng);
            let end = end_of(&to_line(&line, 0.0), EndRules::default(), |_| None);
            let end = end.unwrap_or_else(|| panic!("{part} {signal:?}"));
            let wait = end.at.seconds() - start as f64 / 8000.0;
            assert!(
                (1.0..=f64::from(limit)).contains(&wait),
                "{wait} s from {part}, {signal:?}"
            );
            let kept = end.last_sound.map_or(0, |last| last.0);
            assert!(
                kept <= start as u64 + 400,
                "{kept} for {start}, from {part}, {signal:?}"
            );
        }
    }
}

#[test]
fn a_long_silence_after_speech_ends_the_call_where_asked_for() {
    let mut rng = Rng::with_seed(41);
    let mut line = talk(2.0, &mut rng);
    line.extend(vec![0.0; samples(8.0)]);
    add_noise(&mut line, dbfs_rms(-48.0), &mut rng);
    let line = to_line(&line, -20.0);
    assert_eq!(end_of(&line, EndRules::default(), |_| None), None);
    let rules = EndRules {
        end_silence: Some(Duration::from_secs(5)),
        ..EndRules::default()
    };
    let end = end_of(&line, rules, |_| None).expect("over");
    assert_eq!(end.reason, EndReason::Silence);
    assert!((6.0..7.5).contains(&end.at.seconds()), "{end:?}");
}

#[test]
fn what_may_have_been_the_caller_counts_only_where_a_recording_is_cut() {
    let heard = |end: &mut EndOfCall, from, at, event| {
        end.heard(&Observation {
            from: Position(from),
            at: Position(at),
            event,
        })
    };
    let (word, tone) = (4000..8000, 39_840..60_000);
    let ends = [false, true].map(|unclear| {
        let mut end = EndOfCall::new(EndRules::default());
        // What begins with the tone is the tone.
        for from in word
            .clone()
            .chain(tone.clone())
            .step_by(160)
            .filter(|_| unclear)
        {
            assert_eq!(heard(&mut end, from, from + 480, Event::Unclear), None);
        }
        let busy = Event::Tone {
            tone: Tone::Busy,
            pulses: 4,
        };
        heard(&mut end, 40_000, 60_000, busy).unwrap()
    });
    let [without, with] = ends;
    assert_eq!(without.last_sound, None);
    assert_eq!(with.last_sound, Some(Position(8000)));
    assert_eq!((with.reason, with.at), (without.reason, without.at));
}
