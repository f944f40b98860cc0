//! The folder of prompts of which one is picked at random.
//!
//! Files may be dropped in and taken out at any time: the folder is read anew for each pick. A file
//! that cannot be played is reported once, with the reason, and passed over. Any WAV file will do:
//! one of another kind than the line's is converted when it is played.

use super::convert::{ConvertError, playable};
use super::unusable::UnusableFiles;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::spawn_blocking;

/// What audio files are called that people will drop in. All others (notes, hidden files) are not
/// meant to be played, and not worth a word.
const AUDIO_EXTENSIONS: [&str; 12] = [
    "wav", "wave", "mp3", "ogg", "oga", "opus", "flac", "m4a", "aac", "wma", "aif", "aiff",
];
/// A handle on the play folder; clones share what was played last.
#[derive(Clone, Debug)]
pub struct PlayFolder {
    state: Arc<Mutex<Shelf>>,
    /// What was played since the last pick. Apart from the shelf, which is locked while the disk is
    /// read.
    played: Arc<Mutex<Option<PathBuf>>>,
}

impl PlayFolder {
    /// The folder at this path, with a random order. It need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self::shuffled_by(folder, fastrand::Rng::new())
    }

    /// The same with an order that the seed fixes, for tests and scenarios.
    pub fn with_seed(folder: &Path, seed: u64) -> Self {
        Self::shuffled_by(folder, fastrand::Rng::with_seed(seed))
    }

    fn shuffled_by(folder: &Path, rng: fastrand::Rng) -> Self {
        Self {
            state: Arc::new(Mutex::new(Shelf {
                folder: folder.to_path_buf(),
                rng,
                last: None,
                unusable: UnusableFiles::default(),
            })),
            played: Arc::default(),
        }
    }

    /// Remembers that this file is played, from the folder or not: it is not picked next.
    pub fn played(&self, file: &Path) {
        *unpoisoned(&self.played) = Some(file.to_path_buf());
    }

    /// Picks a file that can be played: any of them, but not the one played last if there is
    /// another. `None` if there is none. What cannot be used is logged, once.
    pub async fn pick(&self) -> Option<PathBuf> {
        let handle = self.clone();
        let job = spawn_blocking(move || {
            let mut state = unpoisoned(&handle.state);
            let played = unpoisoned(&handle.played).take();
            state.last = played.or(state.last.take());
            state.pick()
        });
        let Ok((picked, unusable)) = job.await else {
            return None;
        };
        for Unusable { path, error } in unusable {
            tracing::warn!(file = %path.display(), "{}: {error}", path.display());
        }
        picked
    }
}

/// A lock that a panic left behind holds nothing here that could be half-done.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something in the folder, or the folder itself, that cannot be used.
#[derive(Debug)]
struct Unusable {
    path: PathBuf,
    error: ConvertError,
}

#[derive(Debug)]
struct Shelf {
    folder: PathBuf,
    rng: fastrand::Rng,
    last: Option<PathBuf>,
    unusable: UnusableFiles,
}

impl Shelf {
    fn pick(&mut self) -> (Option<PathBuf>, Vec<Unusable>) {
        let mut unusable = Vec::new();
        let mut candidates = match audio_files(&self.folder) {
            Ok(files) => files,
            Err(error) => {
                let folder = self.folder.clone();
                self.report(folder, error.into(), &mut unusable);
                return (None, unusable);
            }
        };
        // The order of a directory is no order: sorted, a seed means the same everywhere.
        candidates.sort();
        self.rng.shuffle(&mut candidates);
        // The last one comes last, and so is picked only when no other can be. It may have been
        // played by another name.
        let named = |path: &Path| std::fs::canonicalize(path).ok();
        let last = self.last.as_deref().and_then(named);
        candidates.sort_by_cached_key(|path| last.is_some() && named(path) == last);
        for path in candidates {
            match playable(&path) {
                Ok(()) => {
                    self.unusable.works(&path);
                    self.last = Some(path.clone());
                    return (Some(path), unusable);
                }
                Err(error) => self.report(path, error, &mut unusable),
            }
        }
        (None, unusable)
    }

    fn report(&self, path: PathBuf, error: ConvertError, unusable: &mut Vec<Unusable>) {
        if self.unusable.is_news(&path) {
            unusable.push(Unusable { path, error });
        }
    }
}

fn audio_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_meant_to_be_played(&path) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_meant_to_be_played(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().unwrap_or_default();
    !hidden
        && AUDIO_EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav::{WavWriter, probe};
    use std::collections::BTreeSet;

    fn shelf(folder: &Path, seed: u64) -> Shelf {
        Shelf {
            folder: folder.to_path_buf(),
            rng: fastrand::Rng::with_seed(seed),
            last: None,
            unusable: UnusableFiles::default(),
        }
    }

    fn add(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let mut writer = WavWriter::create(&path).unwrap();
        writer.write(&[1; 800]).unwrap();
        writer.finish().unwrap();
        path
    }

    fn picks(shelf: &mut Shelf, count: usize) -> Vec<PathBuf> {
        (0..count).map(|_| shelf.pick().0.unwrap()).collect()
    }

    #[test]
    fn every_file_gets_its_turn_and_none_comes_twice_in_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let files: BTreeSet<_> = ["a.wav", "b.WAV", "c.wave"]
            .map(|name| add(folder.path(), name))
            .into();
        for seed in 0..20 {
            let picked = picks(&mut shelf(folder.path(), seed), 60);
            assert_eq!(picked.iter().cloned().collect::<BTreeSet<_>>(), files);
            assert!(picked.windows(2).all(|pair| pair[0] != pair[1]));
        }
        let order = |seed| picks(&mut shelf(folder.path(), seed), 20);
        assert_eq!(order(1), order(1));
        assert!((2..10).any(|seed| order(seed) != order(1)));
    }

    #[test]
    fn files_may_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = shelf(folder.path(), 1);
        assert!(shelf.pick().0.is_none());
        let first = add(folder.path(), "a.wav");
        assert_eq!(
            picks(&mut shelf, 3),
            [&first, &first, &first].map(Clone::clone)
        );
        let second = add(folder.path(), "b.wav");
        assert_eq!(picks(&mut shelf, 2), [second.clone(), first.clone()]);
        std::fs::remove_file(&second).unwrap();
        assert_eq!(picks(&mut shelf, 2), [first.clone(), first.clone()]);
        std::fs::remove_file(&first).unwrap();
        assert!(shelf.pick().0.is_none());
    }

    #[test]
    fn an_unusable_file_is_reported_once_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let good = add(folder.path(), "good.wav");
        let bad = folder.path().join("bad.wav");
        std::fs::write(&bad, "OggS").unwrap();
        std::fs::write(folder.path().join("song.mp3"), "ID3").unwrap();
        std::fs::write(folder.path().join("README.md"), "text").unwrap();
        std::fs::write(folder.path().join(".hidden.wav"), "").unwrap();
        std::fs::create_dir(folder.path().join("folder.wav")).unwrap();
        let mut shelf = shelf(folder.path(), 1);
        let mut reported = Vec::new();
        for _ in 0..50 {
            let (picked, unusable) = shelf.pick();
            assert_eq!(picked.as_ref(), Some(&good));
            reported.extend(unusable.into_iter().map(|unusable| unusable.path));
        }
        reported.sort();
        let expected = ["bad.wav", "folder.wav", "song.mp3"].map(|name| folder.path().join(name));
        assert_eq!(reported, expected);

        std::fs::write(&bad, "something else").unwrap();
        let again = (0..20)
            .flat_map(|_| shelf.pick().1)
            .map(|unusable| unusable.path);
        assert_eq!(
            again.collect::<Vec<_>>(),
            [folder.path().join("bad.wav")],
            "a new version of it is reported"
        );
        std::fs::remove_file(&bad).unwrap();
        add(folder.path(), "bad.wav");
        assert!(
            picks(&mut shelf, 2).contains(&bad),
            "and used once it is good"
        );
    }

    #[test]
    fn any_wav_file_is_picked_and_others_are_named_with_the_way_to_convert_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = add(folder.path(), "stereo.wav");
        let mut bytes = std::fs::read(&path).unwrap();
        (bytes[22], bytes[34]) = (2, 16);
        std::fs::write(&path, bytes).unwrap();
        std::fs::write(folder.path().join("song.mp3"), "ID3").unwrap();
        let mut shelf = shelf(folder.path(), 1);
        let said: Vec<String> = (0..20)
            .flat_map(|_| {
                let (picked, unusable) = shelf.pick();
                assert_eq!(picked.as_ref(), Some(&path));
                unusable
            })
            .map(|unusable| unusable.error.to_string())
            .collect();
        assert_eq!(
            said,
            [
                "it is an MP3 file, not a WAV file; convert it with: callblock convert INPUT OUTPUT.wav"
            ]
        );
    }

    #[test]
    fn the_prompts_we_ship_can_be_played() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("play");
        let files = audio_files(&folder).unwrap();
        assert_eq!(files.len(), 4);
        for file in files {
            let length = probe(&file).unwrap().as_secs();
            assert!((2..=6).contains(&length), "{}: {length} s", file.display());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_played_otherwise_is_not_picked_next() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a.wav", "b.wav"].map(|name| add(folder.path(), name));
        let linked = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &linked).unwrap();
        for seed in 0..20 {
            let play = PlayFolder::with_seed(folder.path(), seed);
            play.played(&files[0]);
            assert_eq!(play.pick().await.as_ref(), Some(&files[1]));
            assert_eq!(play.pick().await.as_ref(), Some(&files[0]));
            // By another name, too.
            play.played(&linked.join("b.wav"));
            assert_eq!(play.pick().await.as_ref(), Some(&files[0]));
            // Something from elsewhere came between.
            play.played(Path::new("/elsewhere.wav"));
            assert!(play.pick().await.is_some());
        }
        std::fs::remove_file(&files[1]).unwrap();
        let play = PlayFolder::new(folder.path());
        play.played(&files[0]);
        assert_eq!(
            play.pick().await.as_ref(),
            Some(&files[0]),
            "there is no other"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_handle_remembers_what_it_picked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            PlayFolder::new(&folder.path().join("absent"))
                .pick()
                .await
                .is_none()
        );
        for name in ["a.wav", "b.wav"] {
            add(folder.path(), name);
        }
        let play = PlayFolder::with_seed(folder.path(), 7);
        for _ in 0..10 {
            assert_ne!(
                play.pick().await.unwrap(),
                play.clone().pick().await.unwrap()
            );
        }
    }
}
