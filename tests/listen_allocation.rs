//! The listener takes no memory while it listens, whatever it hears.

mod listen_corpus;

use callblock::audio::listen::{EndOfCall, EndRules, KeyPresses, Listener, Position, ToneSet};
use fastrand::Rng;
use listen_corpus::{add_noise, dbfs_rms, plan_signal, sounds, to_line};

#[test]
fn nothing_is_allocated_per_block() {
    let mut rng = Rng::with_seed(77);
    let mut line = sounds::menu(8.0, &mut rng);
    let busy = callblock::audio::listen::PLANS[0].signals[1];
    line.extend(plan_signal(&busy, 3.0, -15.0, 1.0, &mut rng));
    add_noise(&mut line, dbfs_rms(-48.0), &mut rng);
    let line = to_line(&line, 0.0);
    let played = to_line(&sounds::music(11.0, &mut rng), 0.0);
    let mut listener = Listener::new(ToneSet::Any);
    let mut end = EndOfCall::new(EndRules::default());
    let mut keys = KeyPresses::new();
    let mut heard = 0;
    let count = allocation_counter::measure(|| {
        for (n, (block, ours)) in line.chunks(128).zip(played.chunks(128)).enumerate() {
            listener.transmitted(Position(n as u64 * 128), ours);
            listener.listen(block, |observation| {
                heard += 1;
                keys.heard(&observation);
                end.heard(&observation);
            });
            end.elapsed(listener.position());
        }
    });
    assert!(heard > 5, "nothing was heard");
    assert_eq!(count.count_total, 0, "allocations while listening");
}
