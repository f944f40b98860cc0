//! The sound of a call: what comes in is heard and recorded, what goes out is played.

use super::super::CallControl;
use super::super::ears::{Ears, Heard};
use super::super::handler::Wish;
use super::super::machine::Event;
use super::{Daemon, Notice, Report};
use crate::audio::listen::{CallEnd, SpecialInformation};
use crate::audio::{Player, Recorder, UnusableFiles};
use crate::modem::driver::Playback;
use crate::store::CallKey;
use std::collections::VecDeque;
use std::path::Path;
use tokio::sync::mpsc;

impl Daemon {
    pub(super) async fn audio(&mut self, audio: Vec<u8>) {
        let heard = match &mut self.ears {
            Some(ears) => ears.hear(&audio),
            None => Heard::default(),
        };
        if let Some((_, recorder)) = &self.recorder {
            recorder.push(audio);
        }
        for key in heard.keys {
            self.digit(key.as_char()).await;
        }
        self.far_end(heard.end).await;
        self.caller_silent().await;
    }

    async fn caller_silent(&mut self) {
        let (Some(limit), Some(0), Some(ears)) =
            (self.blocker.silence(), self.playing, &mut self.ears)
        else {
            return;
        };
        if ears.silent_for() < limit {
            return;
        }
        ears.count_silence_anew();
        tracing::debug!("the caller is silent");
        (self.observer)(&Notice::CallerSilent);
        let mut control = CallControl::default();
        self.handler.on_silence(&mut control);
        self.grant(control).await;
    }

    /// The sound says that the call is over.
    pub(super) async fn far_end(&mut self, end: Option<CallEnd>) {
        if let Some(end) = end {
            let (by, seconds) = (end.reason.name(), end.at.seconds());
            tracing::info!(by, seconds, "the caller is gone");
            self.machine(Event::FarEndGone).await;
        }
    }

    /// Nothing more comes in: what is to be said of the line goes into the row.
    pub(super) async fn judge_line(&mut self) {
        let Some(quality) = self.ears.as_mut().and_then(Ears::take_quality) else {
            return;
        };
        if let Some(problem) = self.quality_watch.problem(&quality) {
            tracing::warn!("{}", problem.advice());
        }
        self.machine(Event::LineQuality(quality)).await;
    }

    /// The modem's own word of a key.
    pub(super) async fn digit_code(&mut self, digit: char, pressed: bool) {
        if !self.blocker.is_off_hook() {
            return;
        }
        let new = match &mut self.ears {
            Some(ears) => ears.key_code(digit, pressed).is_some(),
            None => pressed,
        };
        if new {
            self.digit(digit).await;
        }
    }

    async fn digit(&mut self, digit: char) {
        tracing::info!(%digit, "key pressed");
        (self.observer)(&Notice::Digit(digit));
        self.machine(Event::Digit(digit)).await;
        let mut control = CallControl::default();
        self.handler.on_dtmf(digit, &mut control);
        self.grant(control).await;
    }

    async fn grant(&mut self, control: CallControl) {
        let mut wishes = VecDeque::from(control.wishes);
        while let Some(wish) = wishes.pop_front() {
            match wish {
                Wish::Play(file) => self.play(&file),
                Wish::PlayFromFolder => {
                    let Some(playing) = &mut self.playing else {
                        continue;
                    };
                    *playing += 1;
                    let (folder, reports) = (self.folder.clone(), self.reports.clone());
                    tokio::spawn(async move {
                        let _ = reports.send(Report::Picked(folder.pick().await));
                    });
                }
                Wish::StopPlaying => {
                    self.playing = self.playing.map(|_| 0);
                    self.modem.stop_playing();
                }
                Wish::HangUp => self.machine(Event::EndCall).await,
            }
        }
    }

    pub(super) fn play_special_information(&mut self) {
        let Some(playing) = &mut self.playing else {
            return;
        };
        *playing += 1;
        tracing::info!("playing the special information tones");
        let (tones, playback) = mpsc::channel(1);
        // There is room for one block.
        let _ = tones.try_send(SpecialInformation::International.samples());
        self.modem.play(playback);
    }

    pub(super) fn play(&mut self, file: &Path) {
        let Some(playing) = &mut self.playing else {
            return;
        };
        *playing += 1;
        self.folder.played(file);
        tracing::info!(file = %file.display(), "playing");
        (self.observer)(&Notice::Playing(file));
        let player = Player::open(file, Some(self.setup.converted_copies()));
        self.modem.play(playback(player, self.unusable.clone()));
    }

    pub(super) fn announce_recording(&mut self, call: CallKey, recorder: &Recorder) {
        let (created, reports) = (recorder.created(), self.reports.clone());
        let data_dir = self.setup.data_dir.clone();
        tokio::spawn(async move {
            if let Some(path) = created.await {
                let path = path.strip_prefix(&data_dir).unwrap_or(&path);
                let path = path.to_string_lossy().into_owned();
                let _ = reports.send(Report::Machine(Event::RecordingCreated { call, path }));
            }
        });
    }

    pub(super) fn stop_recording(&mut self) {
        let Some((call, recorder)) = self.recorder.take() else {
            return;
        };
        let end = self.ears.as_ref().and_then(Ears::ended);
        let end = end.filter(|_| self.setup.listening.trim);
        self.closing += 1;
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let summary = match end {
                Some(end) => recorder.finish_trimmed(end).await,
                None => recorder.finish().await,
            };
            let trouble = summary.trouble();
            if trouble.is_none() {
                let samples = summary.samples;
                tracing::debug!(call = call.0, samples, "the recording is on disk");
            }
            let _ = reports.send(Report::Machine(Event::RecordingClosed { call, trouble }));
        });
    }
}

/// A file as the driver plays it. One that cannot be read ends early, and is named in the log.
fn playback(mut player: Player, unusable: UnusableFiles) -> Playback {
    let (blocks, playback) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(block) = player.next_block().await {
            match block {
                Ok(block) => {
                    if blocks.send(block).await.is_err() {
                        return;
                    }
                }
                Err(error) => return unusable.name(player.path(), &error).await,
            }
        }
        unusable.works(player.path());
    });
    playback
}
