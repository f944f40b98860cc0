//! Whether what is played is heard, and what is said is recorded, bit for bit.

use crate::Row;
use crate::daemon::{RunningDaemon, folder_on_disk};
use crate::house::{contains, read_wav, treacherous_audio, write_wav};
use callblock::emulator::{AudioSpan, Call, Chip, Ending, Happening, Scenario, Sound};
use std::ffi::OsStr;
use std::time::Duration;
use tempfile::TempDir;

const SECONDS: usize = 8;
/// The caller is on the line a little before the stream is open.
const BEFORE: Duration = Duration::from_secs(1);

pub(crate) fn measure() -> Vec<Row> {
    vec![played(), recorded()]
}

fn played() -> Row {
    let folder = folder_on_disk();
    let file = folder.path().join("message.wav");
    let message = treacherous_audio(SECONDS);
    write_wav(&file, &message);
    let daemon = call(
        folder,
        ["-m".as_ref(), "-a".as_ref(), file.as_os_str()],
        &[],
    );
    let heard = samples(daemon.journal().heard());
    Row {
        what: "played WAV heard bit for bit, 0x10 included",
        measured: yes_or_no(contains(&heard, &message)),
        how: how(&message),
    }
}

fn recorded() -> Row {
    let said = treacherous_audio(SECONDS);
    let limit = format!("{}", SECONDS + 2);
    let daemon = call(folder_on_disk(), ["-r", &limit], &said);
    let recording = read_wav(&daemon.recording());
    let whole = recording == samples(daemon.journal().said());
    Row {
        what: "recorded WAV equal to what was said, bit for bit",
        measured: yes_or_no(whole && contains(&recording, &said)),
        how: how(&said),
    }
}

/// The daemon after one call in which this was said to it.
fn call<S: AsRef<OsStr>, const N: usize>(
    folder: TempDir,
    flags: [S; N],
    said: &[u8],
) -> RunningDaemon {
    let scenario = Scenario::default().chip(Chip::Cx93001V2013);
    let daemon = RunningDaemon::start(folder, scenario, flags);
    daemon.call(
        Call::from("2125550147")
            .says(Sound::Silence(BEFORE))
            .says(Sound::Samples(said.into()))
            .ends(Ending::Stays),
    );
    daemon.wait_for(|what| *what == Happening::CallEnded);
    daemon.settle();
    daemon
}

fn samples(spans: Vec<AudioSpan>) -> Vec<u8> {
    spans.into_iter().flat_map(|span| span.samples).collect()
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "NO" }.into()
}

fn how(audio: &[u8]) -> String {
    let dle = audio.split(|sample| *sample == 0x10).count() - 1;
    format!("{SECONDS} s of random bytes, {dle} of them 0x10, in real time over a pseudo-terminal")
}
