//! Playing a WAV file, read ahead of the line.
//!
//! A few blocks are kept ready in a bounded channel, so that a slow disk is not heard and memory
//! does not grow with the file. Pacing is not done here: blocks come as fast as they are taken.
//!
//! A file of another kind than the line's is converted while it is played for the first time, and a
//! copy is kept for the next; if the call ends before the file, the copy is completed after it. So a
//! file may be dropped in at any moment, nothing is converted that is never played, and the only
//! wait is for the level to be measured: of the first seconds, where the file is long.

use super::SAMPLE_RATE;
use super::convert::{ConvertError, ConvertedCopies, Level, LineAudio, UnfinishedCopy, WavFrames};
use super::wav::{WavError, WavReader};
use std::fs::File;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// The most samples in a block: one second.
const BLOCK_SAMPLES: usize = SAMPLE_RATE as usize;
/// How many blocks are ready beyond the one that is being read.
const BLOCKS_AHEAD: usize = 2;
/// How much of a file is measured before it is converted: somebody waits for it.
const MEASURED_SAMPLES: u64 = 20 * SAMPLE_RATE as u64;

/// A file that is being played. Dropping it stops the reading.
#[derive(Debug)]
pub struct Player {
    path: PathBuf,
    blocks: mpsc::Receiver<Result<Vec<u8>, ConvertError>>,
}

impl Player {
    /// Begins to read a file, and returns at once: whether it can be played is told by the first
    /// block. What had to be converted is kept among the copies, if there are any.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(path: &Path, copies: Option<ConvertedCopies>) -> Self {
        let (blocks, ready) = mpsc::channel(BLOCKS_AHEAD);
        tokio::spawn(read_ahead(path.to_path_buf(), copies, blocks));
        Self {
            path: path.to_path_buf(),
            blocks: ready,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next samples, at most 8000; `None` at the end of the file, and after an error. Nothing is
    /// lost if the future is dropped before it is ready.
    pub async fn next_block(&mut self) -> Option<Result<Vec<u8>, ConvertError>> {
        self.blocks.recv().await
    }
}

async fn read_ahead(
    path: PathBuf,
    copies: Option<ConvertedCopies>,
    blocks: mpsc::Sender<Result<Vec<u8>, ConvertError>>,
) {
    let mut audio = None;
    loop {
        // Room first, file second: nothing is read that nobody has asked for, but to complete a copy.
        let room = blocks.reserve().await.ok();
        if room.is_none() && !audio.as_ref().is_some_and(PlayedAudio::makes_copy) {
            return;
        }
        let (path, copies) = (path.clone(), copies.clone());
        let job = spawn_blocking(move || {
            let mut audio = match audio {
                Some(open) => open,
                None => PlayedAudio::open(&path, copies.as_ref())?,
            };
            Ok((audio.read_block()?, audio))
        });
        match (job.await, room) {
            (Ok(Ok((block, open))), room) if !block.is_empty() => {
                if let Some(room) = room {
                    room.send(Ok(block));
                }
                audio = Some(open);
            }
            (Ok(Err(error)), Some(room)) => return room.send(Err(error)),
            // The end of the file, or of the program.
            _ => return,
        }
    }
}

/// An open file, as the line takes it.
enum PlayedAudio {
    /// In the line's format: bit for bit as it is.
    Ready(WavReader<File>),
    /// Converted as it is read.
    Converted {
        audio: Box<LineAudio<WavFrames<File>>>,
        copy: Option<UnfinishedCopy>,
    },
}

impl PlayedAudio {
    fn open(path: &Path, copies: Option<&ConvertedCopies>) -> Result<Self, ConvertError> {
        // Somebody waits: no header is read twice if the file can be played as it is.
        match WavReader::open_audible(path) {
            Err(WavError::Unsuitable { .. }) => {}
            ready => return Ok(Self::Ready(ready?)),
        }
        let frames = WavFrames::open_audible(path)?;
        if let Some(copy) = copies.and_then(|copies| copies.find(path)) {
            return Ok(Self::Ready(copy));
        }
        let copy = copies.and_then(|copies| copies.begin(path));
        let level = Level::measure(WavFrames::open(path)?, Some(MEASURED_SAMPLES), |_| Ok(()))?;
        Ok(Self::Converted {
            audio: Box::new(LineAudio::new(frames, &level)?),
            copy,
        })
    }

    const fn makes_copy(&self) -> bool {
        matches!(self, Self::Converted { copy: Some(_), .. })
    }

    /// The next block; an empty one is the end.
    fn read_block(&mut self) -> Result<Vec<u8>, ConvertError> {
        match self {
            Self::Ready(reader) => Ok(reader.read_block(BLOCK_SAMPLES)?),
            Self::Converted { audio, copy } => {
                let block = audio.read_block()?;
                if let Some(mut unfinished) = copy.take() {
                    let kept = if block.is_empty() {
                        unfinished.finish()
                    } else {
                        let written = unfinished.write(&block);
                        written.map(|()| *copy = Some(unfinished))
                    };
                    // Played all the same, and converted again the next time.
                    if let Err(error) = kept {
                        tracing::debug!("no copy of a converted file: {error}");
                    }
                }
                Ok(block)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav::WavWriter;

    fn wav(folder: &Path, samples: &[u8]) -> PathBuf {
        let path = folder.join("a.wav");
        let mut writer = WavWriter::create(&path).unwrap();
        writer.write(samples).unwrap();
        writer.finish().unwrap();
        path
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_comes_whole_in_blocks_of_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let samples: Vec<u8> = (0..20_001_u32).map(|index| (index % 251) as u8).collect();
        let path = wav(folder.path(), &samples);
        let mut player = Player::open(&path, None);
        assert_eq!(player.path(), path);
        let mut heard = Vec::new();
        let mut sizes = Vec::new();
        while let Some(block) = player.next_block().await {
            let block = block.unwrap();
            sizes.push(block.len());
            heard.extend(block);
        }
        assert_eq!(sizes, [8000, 8000, 4001]);
        assert_eq!(heard, samples);
        assert!(player.next_block().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_a_few_blocks_are_read_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let path = wav(folder.path(), &vec![1; 80_000]);
        let mut player = Player::open(&path, None);
        assert!(player.next_block().await.is_some());
        // Paused time moves on only when nobody has anything left to do.
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        assert_eq!(player.blocks.len(), BLOCKS_AHEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_played_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, "no sound").unwrap();
        let empty = folder.path().join("empty.wav");
        WavWriter::create(&empty).unwrap().finish().unwrap();
        for path in [
            path,
            empty,
            folder.path().join("absent.wav"),
            folder.path().to_path_buf(),
        ] {
            let mut player = Player::open(&path, None);
            assert!(
                player
                    .next_block()
                    .await
                    .is_some_and(|block| block.is_err())
            );
            assert!(player.next_block().await.is_none());
        }
    }
}
