//! A voice stream from `CONNECT` to its end.

use super::attached::Attached;
use super::connection::{CommandError, Connection};
use super::{Down, ModemEvent, Playback, Request, VoiceEnd};
use crate::audio::SILENCE;
use crate::clock::until;
use crate::modem::chip::Chip;
use crate::modem::command::Command;
use crate::modem::line_code::LineCode;
use crate::modem::protocol::Event;
use crate::modem::voice::{Pacer, VoiceMode};
use crate::modem::wire::shield;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::Instant;

/// The modem must say that a stream is over within this time after it was told, or after the audio
/// it still had to play.
const END_PATIENCE: Duration = Duration::from_millis(700);
/// The result code after `DLE ETX` comes at once; some firmware leaves it out.
const RESULT_PATIENCE: Duration = Duration::from_millis(300);
/// A port that takes no byte for this long will take none any more, and a modem that gives no audio for
/// this long is hung: 8000 samples a second are due.
const STUCK: Duration = Duration::from_secs(5);

/// How a stream is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// After what was sent has been heard.
    Played,
    /// At once.
    Abort,
    /// The modem has ended it; only its result code is awaited.
    ByModem,
    /// The modem takes or gives no more audio.
    Stuck,
    /// The modem is not off-hook although it said so; the stream goes on when it is.
    OtherWay,
}

/// What is being played and what comes after it.
struct Playlist {
    queue: VecDeque<Playback>,
    block: Vec<u8>,
    taken: usize,
    /// When the last sample of the last file will have been taken by the line.
    finishing: Option<Instant>,
}

impl Playlist {
    const fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            block: Vec::new(),
            taken: 0,
            finishing: None,
        }
    }

    fn push(&mut self, audio: Playback) {
        self.finishing = None;
        self.queue.push_back(audio);
    }

    fn clear(&mut self) {
        *self = Self::new();
    }

    /// Moves up to `count` samples into `out`: fewer when there is nothing (yet). Says whether the
    /// last file has ended with them.
    fn take(&mut self, count: usize, out: &mut Vec<u8>) -> bool {
        let wanted = out.len() + count;
        while out.len() < wanted {
            if self.taken < self.block.len() {
                let upto = self.block.len().min(self.taken + wanted - out.len());
                out.extend_from_slice(&self.block[self.taken..upto]);
                self.taken = upto;
                continue;
            }
            let Some(current) = self.queue.front_mut() else {
                return false;
            };
            match current.try_recv() {
                Ok(block) => {
                    self.block = block;
                    self.taken = 0;
                }
                // The disk is late; silence fills in.
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => {
                    self.queue.pop_front();
                    if self.queue.is_empty() {
                        return true;
                    }
                }
            }
        }
        false
    }
}

impl Attached {
    /// Opens a stream and serves it to its end. A hang-up asked meanwhile is done as well.
    pub(super) async fn voice(
        &mut self,
        mode: VoiceMode,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Result<(), Down> {
        if !self.open_stream(mode).await? {
            return Ok(());
        }
        self.connection.tell(ModemEvent::VoiceStarted(mode)).await;
        let mut playlist = Playlist::new();
        let mut hang_up = false;
        let end = loop {
            let ending = self
                .stream(mode, requests, &mut playlist, &mut hang_up)
                .await?;
            end_stream(&mut self.connection, mode, ending).await?;
            match ending {
                Ending::Played | Ending::Abort => break VoiceEnd::Asked,
                Ending::ByModem => break VoiceEnd::ByModem,
                Ending::Stuck => break VoiceEnd::Stuck,
                Ending::OtherWay => {
                    self.seize_other_way().await?;
                    if !self.open_stream(mode).await? {
                        break VoiceEnd::ByModem;
                    }
                }
            }
        };
        self.connection.tell(ModemEvent::VoiceEnded(end)).await;
        if hang_up {
            self.hang_up().await?;
            self.arm().await?;
        }
        Ok(())
    }

    /// Whether a stream is open now; a refusal has been told. A modem that refuses may not be off-hook
    /// although it said so: the other way off-hook is tried before it is believed.
    async fn open_stream(&mut self, mode: VoiceMode) -> Result<bool, Down> {
        let start = Command::stream(mode);
        let mut refused = None;
        for attempt in 0..2 {
            if attempt > 0 {
                self.seize_other_way().await?;
            }
            if let (VoiceMode::Receive, Some(line)) = (mode, self.connection.chip.line_for_receive)
            {
                // Refused by other firmware of the same chip, which records under +VLS=1.
                self.attempt(&Command::set(line)).await?;
            }
            refused = self.attempt(&start).await?;
            if self.connection.in_stream() || refused.is_none() {
                break;
            }
        }
        if self.connection.in_stream() {
            return Ok(true);
        }
        self.refuse(&start.text, refused).await;
        Ok(false)
    }

    /// Serves an open stream until something ends it.
    async fn stream(
        &mut self,
        mode: VoiceMode,
        requests: &mut UnboundedReceiver<Request>,
        playlist: &mut Playlist,
        hang_up: &mut bool,
    ) -> Result<Ending, Down> {
        let connection = &mut self.connection;
        let mut pacer = Pacer::starting(Instant::now().into_std());
        let mut progress = Instant::now();
        let mut heard = Instant::now();
        let (mut sent, mut tells) = (0, false);
        loop {
            let standstill = mode.receives().then(|| heard + STUCK);
            let step = mode.sends().then(|| Instant::from_std(pacer.next_step()));
            tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(Request::Play(audio)) => playlist.push(audio),
                    Some(Request::StopPlaying) => playlist.clear(),
                    Some(Request::FinishVoice) => return Ok(Ending::Played),
                    Some(Request::StopVoice) => return Ok(Ending::Abort),
                    Some(Request::HangUp) | None => {
                        *hang_up = true;
                        return Ok(Ending::Abort);
                    }
                    Some(Request::PickUpOtherWay) => return Ok(Ending::OtherWay),
                    Some(Request::PickUp { .. } | Request::Voice(_) | Request::Dial(_) | Request::LossSeen) => {}
                },
                event = connection.next_of_stream() => {
                    let event = event?;
                    match event {
                        Event::Audio(_) => heard = Instant::now(),
                        Event::Code(LineCode::TransmitUnderrun) => {
                            pacer.ran_dry(Instant::now().into_std());
                        }
                        _ => {}
                    }
                    let over = ends_stream(&event, mode);
                    connection.pass_on(event).await;
                    if over {
                        return Ok(Ending::ByModem);
                    }
                }
                () = until(standstill) => return Ok(Ending::Stuck),
                () = until(playlist.finishing) => {
                    playlist.finishing = None;
                    connection.tell(ModemEvent::PlaybackFinished).await;
                }
                () = until(step) => {
                    if connection.all_written() {
                        progress = Instant::now();
                        let (samples, played) = write_due(connection, &mut pacer, playlist);
                        let before = sent;
                        sent += samples.len() as u64;
                        tells |= mode.receives() && played > 0;
                        if tells {
                            connection.tell(ModemEvent::Playing { before, samples }).await;
                        }
                    } else if progress.elapsed() > STUCK {
                        return Ok(Ending::Stuck);
                    } else {
                        // The port is slow; what is due grows until it takes more.
                        pacer.wrote(0, Instant::now().into_std());
                    }
                }
            }
        }
    }
}

/// Writes what the clock asks for: what is played, then silence. Returns the samples, and how many were
/// played.
fn write_due(
    connection: &mut Connection,
    pacer: &mut Pacer,
    playlist: &mut Playlist,
) -> (Vec<u8>, usize) {
    let now = Instant::now().into_std();
    let due = pacer.due(now);
    let mut samples = Vec::with_capacity(due);
    let finished = playlist.take(due, &mut samples);
    let played = samples.len();
    samples.resize(due, SILENCE);
    let mut shielded = Vec::with_capacity(due + 16);
    shield(&samples, &mut shielded);
    connection.send(&shielded);
    if finished {
        pacer.wrote(played, now);
        playlist.finishing = Some(Instant::from_std(pacer.played_out()));
        pacer.wrote(due - played, now);
    } else {
        pacer.wrote(due, now);
    }
    (samples, played)
}

/// Ends a stream by the book of the chip; when that fails, by resync.
async fn end_stream(
    connection: &mut Connection,
    mode: VoiceMode,
    ending: Ending,
) -> Result<(), Down> {
    connection.protocol.expect_stream_over();
    let chip: &'static Chip = connection.chip;
    let codes = match ending {
        Ending::ByModem => {
            connection.discard_output();
            // Its result code is often there already, taken for unknown text.
            connection.reply_within(RESULT_PATIENCE).await?;
            connection.protocol.assume_command_state();
            return Ok(());
        }
        Ending::Played => chip.end_when_played(mode),
        Ending::Abort | Ending::Stuck | Ending::OtherWay => {
            connection.discard_output();
            if mode.sends() {
                // Half a shielded pair may have reached the modem: the NUL completes it.
                connection.send(&[0]);
            }
            chip.end_of(mode)
        }
    };
    for code in codes {
        connection.send(code);
        let still_to_play = match ending {
            Ending::Played => crate::modem::voice::AHEAD,
            _ => Duration::ZERO,
        };
        if wait_for_end(connection, END_PATIENCE + still_to_play).await? {
            return Ok(());
        }
        connection.protocol.expect_stream_over();
    }
    tracing::warn!(?mode, "the modem does not end its stream; resynchronising");
    connection.resync().await.map_err(CommandError::into_down)
}

/// Whether the modem said that the stream is over. Audio it still had is passed on. `DLE ETX` alone
/// will do, and so will a result code alone.
async fn wait_for_end(connection: &mut Connection, patience: Duration) -> Result<bool, Down> {
    let mut deadline = Instant::now() + patience;
    let mut ended = false;
    loop {
        let Ok(event) = tokio::time::timeout_at(deadline, connection.next()).await else {
            connection.protocol.abandon();
            return Ok(ended);
        };
        match event? {
            Event::Reply(_) => {
                connection.protocol.assume_command_state();
                return Ok(true);
            }
            Event::StreamEnd => {
                ended = true;
                deadline = Instant::now() + RESULT_PATIENCE;
            }
            event => connection.pass_on(event).await,
        }
    }
}

/// Whether the modem has left the stream, or the call is over.
fn ends_stream(event: &Event, mode: VoiceMode) -> bool {
    match event {
        Event::StreamEnd | Event::Code(LineCode::NoCarrier) => true,
        // While we transmit, text is not audio: a result code means that the modem left the stream.
        Event::Unknown(text) => mode == VoiceMode::Transmit && (text == "OK" || text == "ERROR"),
        _ => false,
    }
}
