//! What a program wrote, in order, as `strace` saw it; and what of it a disk may have after a power
//! cut at any moment.
//!
//! The model is stricter than most file systems: what was written to a file is safe only after
//! `fsync` of it, and a name that was made, taken away or changed only after `fsync` of its folder.
//! All else may be there or not, in any combination, a write also in part.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;

/// One thing that was done to the disk, or said about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Create {
        path: PathBuf,
        file: usize,
    },
    Write {
        file: usize,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: usize,
        length: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    Sync {
        file: usize,
    },
    SyncFolder {
        folder: PathBuf,
    },
    /// A line on standard error.
    Said(String),
}

impl Step {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Create { path, .. } | Self::Remove { path } | Self::Rename { to: path, .. } => {
                path.parent()
            }
            _ => None,
        }
    }

    const fn file(&self) -> Option<usize> {
        match self {
            Self::Write { file, .. } | Self::Truncate { file, .. } => Some(*file),
            _ => None,
        }
    }
}

/// Which of the steps that are not safe have reached the disk.
pub enum Fate<'r> {
    All,
    None,
    Random(&'r mut fastrand::Rng),
}

/// The files after a power cut behind these steps.
pub fn after_power_cut(steps: &[Step], mut fate: Fate<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut contents: HashMap<usize, Vec<u8>> = HashMap::new();
    let mut names: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let later = &steps[index + 1..];
        let safe = later.iter().any(|later| match later {
            Step::Sync { file } => step.file() == Some(*file),
            Step::SyncFolder { folder } => step.folder() == Some(folder),
            _ => false,
        });
        let reached = safe
            || match &mut fate {
                Fate::All => true,
                Fate::None => false,
                Fate::Random(random) => random.bool(),
            };
        if !reached {
            continue;
        }
        match step {
            Step::Create { path, file } => {
                names.insert(path.clone(), *file);
                contents.entry(*file).or_default();
            }
            Step::Rename { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Step::Remove { path } => {
                names.remove(path);
            }
            Step::Truncate { file, length } => {
                contents.entry(*file).or_default().resize(*length, 0);
            }
            Step::Write { file, at, bytes } => {
                let mut length = bytes.len();
                if let Fate::Random(random) = &mut fate
                    && !safe
                    && random.u8(..4) == 0
                {
                    length = random.usize(..=length / SECTOR) * SECTOR;
                }
                let content = contents.entry(*file).or_default();
                let end = at + length;
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(&bytes[..length]);
            }
            Step::Sync { .. } | Step::SyncFolder { .. } | Step::Said(_) => {}
        }
    }
    let content = |file| contents.get(&file).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|(path, file)| (path, content(file)))
        .collect()
}

/// The system calls that [`steps`] has to see.
pub const SYSTEM_CALLS: &str = "openat,read,write,pwrite64,lseek,fsync,fdatasync,ftruncate,fallocate,\
     rename,renameat,renameat2,unlink,unlinkat,link,dup,dup2,dup3,fcntl,close";

/// What is open, by descriptor.
#[derive(Clone)]
enum Open {
    /// The number of the file, and of the place where its position is kept (duplicates share it).
    File {
        file: usize,
        position: usize,
    },
    Folder(PathBuf),
}

struct Reader {
    folder: PathBuf,
    steps: Vec<Step>,
    open: HashMap<i64, Open>,
    positions: Vec<usize>,
    names: HashMap<PathBuf, usize>,
    files: usize,
}

/// Reads the output of `strace -f -xx`, and keeps what it did in this folder and said.
pub fn steps(trace: &str, folder: &Path) -> Vec<Step> {
    let mut reader = Reader {
        folder: folder.to_owned(),
        steps: Vec::new(),
        open: HashMap::new(),
        positions: Vec::new(),
        names: HashMap::new(),
        files: 0,
    };
    // A call that another thread's broke into comes in two halves.
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect("a thread and a call");
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begun);
        } else if let Some((_, rest)) = call.split_once(" resumed>") {
            let begun = unfinished.remove(thread).expect("it has begun");
            reader.call(&format!("{begun}{rest}"));
        } else {
            reader.call(call);
        }
    }
    reader.steps
}

impl Reader {
    fn call(&mut self, call: &str) {
        let Some((name, rest)) = call.split_once('(') else {
            return;
        };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else {
            return;
        };
        let result: i64 = match result.split(' ').next().and_then(|word| word.parse().ok()) {
            Some(result) if result >= 0 => result,
            _ => return,
        };
        let arguments = arguments.trim_end().trim_end_matches(')');
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let number = |index: usize| arguments[index].parse::<i64>().expect("a number");
        match name {
            "openat" => self.opened(text(arguments[1]), arguments[2], result),
            "close" => {
                self.open.remove(&number(0));
            }
            "dup" | "dup2" | "dup3" => self.duplicated(number(0), result),
            "fcntl" if arguments[1].starts_with("F_DUPFD") => self.duplicated(number(0), result),
            "read" => self.moved(number(0), |position| position + result as usize),
            "lseek" => self.moved(number(0), |_| result as usize),
            "write" if number(0) == 2 => {
                let said = String::from_utf8_lossy(&bytes(arguments[1])).into_owned();
                self.steps
                    .extend(said.lines().map(|line| Step::Said(line.to_owned())));
            }
            "write" => {
                let at = self.position(number(0));
                self.written(number(0), at, arguments[1], result);
                self.moved(number(0), |position| position + result as usize);
            }
            "pwrite64" => {
                let at = usize::try_from(number(3)).expect("a place");
                self.written(number(0), Some(at), arguments[1], result);
            }
            "ftruncate" => {
                if let Some(Open::File { file, .. }) = self.open.get(&number(0)) {
                    let (file, length) = (*file, number(1) as usize);
                    self.steps.push(Step::Truncate { file, length });
                }
            }
            "fsync" | "fdatasync" => match self.open.get(&number(0)) {
                Some(Open::File { file, .. }) => self.steps.push(Step::Sync { file: *file }),
                Some(Open::Folder(folder)) => self.steps.push(Step::SyncFolder {
                    folder: folder.clone(),
                }),
                None => {}
            },
            "rename" => self.renamed(text(arguments[0]), text(arguments[1])),
            "unlink" => self.removed(text(arguments[0])),
            "unlinkat" => self.removed(text(arguments[1])),
            "fcntl" => {}
            other => panic!("nobody reads {other} here: {call}"),
        }
    }

    fn opened(&mut self, path: PathBuf, flags: &str, descriptor: i64) {
        if !path.starts_with(&self.folder) {
            return;
        }
        let open = if !flags.contains("O_CREAT") && !self.names.contains_key(&path) {
            Open::Folder(path)
        } else {
            let file = self.names.get(&path).copied().unwrap_or_else(|| {
                self.files += 1;
                self.names.insert(path.clone(), self.files);
                let file = self.files;
                self.steps.push(Step::Create { path, file });
                file
            });
            self.positions.push(0);
            let position = self.positions.len() - 1;
            Open::File { file, position }
        };
        self.open.insert(descriptor, open);
    }

    fn duplicated(&mut self, old: i64, new: i64) {
        if let Some(open) = self.open.get(&old).cloned() {
            self.open.insert(new, open);
        }
    }

    fn position(&self, descriptor: i64) -> Option<usize> {
        match self.open.get(&descriptor)? {
            Open::File { position, .. } => Some(self.positions[*position]),
            Open::Folder(_) => None,
        }
    }

    fn moved(&mut self, descriptor: i64, to: impl FnOnce(usize) -> usize) {
        if let Some(Open::File { position, .. }) = self.open.get(&descriptor) {
            let position = &mut self.positions[*position];
            *position = to(*position);
        }
    }

    fn written(&mut self, descriptor: i64, at: Option<usize>, data: &str, length: i64) {
        if let (Some(Open::File { file, .. }), Some(at)) = (self.open.get(&descriptor), at) {
            let mut bytes = bytes(data);
            bytes.truncate(length as usize);
            assert_eq!(bytes.len(), length as usize, "the trace is cut short");
            let file = *file;
            self.steps.push(Step::Write { file, at, bytes });
        }
    }

    fn renamed(&mut self, from: PathBuf, to: PathBuf) {
        if let Some(file) = self.names.remove(&from) {
            self.names.insert(to.clone(), file);
            self.steps.push(Step::Rename { from, to });
        }
    }

    fn removed(&mut self, path: PathBuf) {
        if self.names.remove(&path).is_some() {
            self.steps.push(Step::Remove { path });
        }
    }
}

/// The bytes of a string as `strace -xx` writes it.
fn bytes(quoted: &str) -> Vec<u8> {
    quoted
        .trim_matches('"')
        .split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).expect("two digits"))
        .collect()
}

fn text(quoted: &str) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes(quoted)).expect("a path"))
}

#[test]
fn only_what_was_synced_is_safe() {
    let trace = r#"
7 openat(AT_FDCWD, "\x2f\x64\x2f\x61", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 5
7 openat(AT_FDCWD, "\x2f\x65", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 6
8 write(6, "\x00", 1) = 1
7 fcntl(5, F_DUPFD_CLOEXEC, 3) = 7
7 write(5, "\x01\x02", 2 <unfinished ...>
8 write(2, "\x68\x69\x0a", 3) = 3
7 <... write resumed>) = 2
7 write(7, "\x03", 1) = 1
7 fsync(5) = 0
7 openat(AT_FDCWD, "\x2f\x64", O_RDONLY|O_CLOEXEC) = 8
7 fsync(8) = 0
7 lseek(5, 1, SEEK_SET) = 1
7 write(7, "\x09", 1) = 1
7 unlink("\x2f\x64\x2f\x61") = 0
7 openat(AT_FDCWD, "\x2f\x64\x2f\x62", O_RDWR) = -1 ENOENT (No such file or directory)
"#;
    let steps = steps(trace.trim_start(), Path::new("/d"));
    assert!(steps.contains(&Step::Said("hi".into())));
    let disk = |count: usize, fate| after_power_cut(&steps[..count], fate);
    let file = |bytes: &[u8]| BTreeMap::from([(PathBuf::from("/d/a"), bytes.to_vec())]);
    assert_eq!(steps.len(), 8, "{steps:#?}");
    assert_eq!(disk(5, Fate::None), BTreeMap::new(), "no name yet");
    assert_eq!(disk(6, Fate::None), file(&[1, 2, 3]));
    assert_eq!(disk(7, Fate::None), file(&[1, 2, 3]));
    assert_eq!(disk(7, Fate::All), file(&[1, 9, 3]));
    assert_eq!(disk(8, Fate::All), BTreeMap::new());
    assert_eq!(disk(8, Fate::None), file(&[1, 2, 3]));
}
