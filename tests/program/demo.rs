//! The first thing a newcomer runs.

use crate::house::{House, read_wav, seconds};
use crate::process::{Prints, Process};

#[test]
#[ignore = "takes most of a minute"]
fn the_demo_ends_by_itself_with_the_call_log() {
    let house = House::without_modem();
    let mut command = house.command("demo --data-dir @data");
    let mut demo = Process::start("the demo", &mut command, Prints::Stdout);
    for line in [
        "waiting for calls",
        "may ring",
        "blocked: ",
        "playing hello.wav",
    ] {
        demo.wait_for(line);
    }
    // Beyond our usual patience: two more calls.
    demo.wait_for("rings-stopped");
    demo.wait_for("over: caller-hung-up");
    demo.wait_for("outcome");
    assert_eq!(demo.exit().code(), Some(0));
    let lines = demo.lines();
    let table = lines.iter().position(|line| line.starts_with("started"));
    let table = &lines[table.expect("the table")..];
    for (row, words) in table[1..].iter().zip([
        ["2125550123", "ring", "rings-stopped"],
        ["2125550147", "block", "caller-hung-up"],
        ["P", "block", "caller-hung-up"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{table:#?}");
    }
    assert_eq!(house.rows().len(), 3);
    let players: Vec<_> = table
        .iter()
        .filter(|line| line.starts_with("aplay "))
        .collect();
    assert_eq!(players.len(), 2, "{table:#?}");
    for player in players {
        let file = player.trim_start_matches("aplay '").trim_end_matches('\'');
        assert!(seconds(&read_wav(file.as_ref())) > 1.0);
    }
    assert!(!house.path("home").exists());
}
