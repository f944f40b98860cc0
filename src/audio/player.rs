//! Playing a WAV file, read ahead of the line.
//!
//! A few blocks are kept ready in a bounded channel, so that a slow disk is not heard and memory
//! does not grow with the file. Pacing is not done here: blocks come as fast as they are taken.

use super::SAMPLE_RATE;
use super::wav::{WavError, WavReader};
use std::fs::File;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// The most samples in a block: one second.
const BLOCK_SAMPLES: usize = SAMPLE_RATE as usize;
/// How many blocks are ready beyond the one that is being read.
const BLOCKS_AHEAD: usize = 2;

/// A file that is being played. Dropping it stops the reading.
#[derive(Debug)]
pub struct Player {
    path: PathBuf,
    blocks: mpsc::Receiver<Result<Vec<u8>, WavError>>,
}

impl Player {
    /// Begins to read a file, and returns at once: whether it can be played is told by the first
    /// block.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(path: &Path) -> Self {
        let (blocks, ready) = mpsc::channel(BLOCKS_AHEAD);
        tokio::spawn(read_ahead(path.to_path_buf(), blocks));
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
    pub async fn next_block(&mut self) -> Option<Result<Vec<u8>, WavError>> {
        self.blocks.recv().await
    }
}

async fn read_ahead(path: PathBuf, blocks: mpsc::Sender<Result<Vec<u8>, WavError>>) {
    let mut reader = None;
    loop {
        // Room first, file second: nothing is read that nobody has asked for.
        let Ok(room) = blocks.reserve().await else {
            return;
        };
        let path = path.clone();
        let job = spawn_blocking(move || read_block(&path, reader)).await;
        match job {
            Ok(Ok((block, open))) if !block.is_empty() => {
                room.send(Ok(block));
                reader = Some(open);
            }
            Ok(Err(error)) => return room.send(Err(error)),
            // The end of the file, or of the program.
            Ok(Ok(_)) | Err(_) => return,
        }
    }
}

/// The next block of a file, which is opened if it is not open yet.
fn read_block(
    path: &Path,
    reader: Option<WavReader<File>>,
) -> Result<(Vec<u8>, WavReader<File>), WavError> {
    let mut reader = match reader {
        Some(open) => open,
        None => WavReader::open(path)?,
    };
    let block = reader.read_block(BLOCK_SAMPLES)?;
    Ok((block, reader))
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
        let mut player = Player::open(&path);
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
        let mut player = Player::open(&path);
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
        for path in [
            path,
            folder.path().join("absent.wav"),
            folder.path().to_path_buf(),
        ] {
            let mut player = Player::open(&path);
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
