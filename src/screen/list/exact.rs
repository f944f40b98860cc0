//! Millions of exact numbers in eight bytes each, with the line of each.
//!
//! A sorted array beats every hash table and automaton in memory here, and loses little in time.

use crate::screen::numbering::Key;

/// Numbers and their lines.
///
/// A [`Key`] is cut in two: its upper 32 bits name a bucket, its lower ones are kept in the bucket, each
/// above the 32 bits of its line. Telephone numbers of one country fall into a few dozen buckets.
#[derive(Debug, Default)]
pub(super) struct ExactNumbers {
    /// Sorted by their upper bits once [`sort`](Self::sort) was called.
    buckets: Vec<Bucket>,
    /// The bucket filled last: lists are often sorted, or of one country.
    last: usize,
    /// How many different numbers there are.
    different: usize,
}

#[derive(Debug)]
struct Bucket {
    upper: u32,
    /// Sorted: the lower bits of the key, then the line.
    entries: Vec<u64>,
    /// Every 64th entry, so that a search stays in the processor's cache nearly to its end.
    landmarks: Vec<u64>,
}

const STRIDE: usize = 64;

const fn split(key: Key) -> (u32, u64) {
    let key = key.get();
    ((key >> 32) as u32, key << 32)
}

const fn line_of(entry: u64) -> u32 {
    (entry & 0xffff_ffff) as u32
}

/// The lower bits of its key.
const fn lower_of(entry: u64) -> u64 {
    entry >> 32
}

/// Sorted entries, those of each number together.
fn by_number(entries: &[u64]) -> impl Iterator<Item = &[u64]> {
    entries.chunk_by(|a, b| lower_of(*a) == lower_of(*b))
}

impl ExactNumbers {
    /// Adds a number; to be followed by [`sort`](Self::sort).
    pub(super) fn push(&mut self, key: Key, line: u32) {
        let (upper, lower) = split(key);
        let entry = lower | u64::from(line);
        if let Some(bucket) = self.buckets.get_mut(self.last)
            && bucket.upper == upper
        {
            bucket.entries.push(entry);
            return;
        }
        self.last = match self
            .buckets
            .binary_search_by_key(&upper, |bucket| bucket.upper)
        {
            Ok(at) => at,
            Err(at) => {
                let (entries, landmarks) = (Vec::new(), Vec::new());
                let bucket = Bucket {
                    upper,
                    entries,
                    landmarks,
                };
                self.buckets.insert(at, bucket);
                at
            }
        };
        self.buckets[self.last].entries.push(entry);
    }

    /// Makes it ready to be asked.
    pub(super) fn sort(&mut self) {
        for bucket in &mut self.buckets {
            bucket.entries.sort_unstable();
            bucket.entries.shrink_to_fit();
            bucket.landmarks = bucket.entries.iter().step_by(STRIDE).copied().collect();
        }
        self.buckets.shrink_to_fit();
        let numbers = |bucket: &Bucket| by_number(&bucket.entries).count();
        self.different = self.buckets.iter().map(numbers).sum();
    }

    /// The lines of a number, ascending.
    pub(super) fn lines(&self, key: Key) -> impl Iterator<Item = u32> {
        let (upper, lower) = split(key);
        let at = self
            .buckets
            .binary_search_by_key(&upper, |bucket| bucket.upper);
        let entries = at.map_or(&[][..], |at| self.buckets[at].from(lower));
        let of_number = entries
            .iter()
            .take_while(move |entry| lower_of(**entry) == lower_of(lower));
        of_number.map(|entry| line_of(*entry))
    }

    /// All different numbers, ascending.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.buckets.iter().flat_map(|bucket| {
            let upper = u64::from(bucket.upper) << 32;
            by_number(&bucket.entries)
                .filter_map(<[u64]>::first)
                .map(move |entry| Key::from_raw(upper | lower_of(*entry)))
        })
    }

    /// How many different numbers there are.
    pub(super) const fn len(&self) -> usize {
        self.different
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

impl Bucket {
    /// The entries that are not less than this one.
    fn from(&self, lower: u64) -> &[u64] {
        let (entries, landmarks) = (&self.entries, &self.landmarks);
        // The first entry that is not less lies behind the last landmark that is.
        let from = landmarks
            .partition_point(|entry| *entry < lower)
            .saturating_sub(1)
            * STRIDE;
        let near = &entries[from..entries.len().min(from + STRIDE)];
        &entries[from + near.partition_point(|entry| *entry < lower)..]
    }
}

/// The names beside the entries, by line. A name that was seen lately is kept once.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Line and offset, by ascending line.
    places: Vec<(u32, u32)>,
    /// Each name is ended by a line feed.
    text: String,
    /// Offsets of names seen lately, by a hash of them; empty once all are in.
    recent: Vec<u32>,
}

const RECENT: usize = 1024;

impl Names {
    /// Keeps the name of a line; lines come in ascending order. A list with more than 4 GB of names
    /// goes on without them.
    pub(super) fn push(&mut self, line: u32, name: &str) {
        if name.is_empty() {
            return;
        }
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT];
        }
        let hash = name.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let slot = (hash ^ (hash >> 16)) as usize % RECENT;
        let known = self.recent[slot];
        if self.at(known) == Some(name) {
            self.places.push((line, known));
        } else if let Ok(offset) = u32::try_from(self.text.len()) {
            self.text.push_str(name);
            self.text.push('\n');
            self.recent[slot] = offset;
            self.places.push((line, offset));
        }
    }

    pub(super) fn shrink(&mut self) {
        self.recent = Vec::new();
        self.places.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    pub(super) fn of_line(&self, line: u32) -> Option<&str> {
        let at = self
            .places
            .binary_search_by_key(&line, |place| place.0)
            .ok()?;
        self.at(self.places[at].1)
    }

    fn at(&self, offset: u32) -> Option<&str> {
        self.text
            .get(usize::try_from(offset).ok()?..)
            .filter(|rest| !rest.is_empty())?
            .split('\n')
            .next()
    }
}
