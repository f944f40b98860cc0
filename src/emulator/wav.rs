//! Reads the WAV files that scenarios name: 8-bit unsigned PCM, mono, 8000 samples a second.

use std::path::Path;

/// The samples of a WAV file, or what is wrong with it, in words.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    samples(&bytes).ok_or_else(|| {
        format!(
            "{}: not a WAV file of 8-bit unsigned PCM, mono, 8000 Hz",
            path.display()
        )
    })
}

/// Walks the chunks: each has a name, a length and a pad byte if the length is odd.
fn samples(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes
        .strip_prefix(b"RIFF")?
        .get(4..)?
        .strip_prefix(b"WAVE")?;
    let mut format_fits = false;
    while let Some((name, after)) = rest.split_at_checked(4) {
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let body = after.get(..length.min(after.len()))?;
        match name {
            // PCM, one channel, 8000 samples a second, 8 bits each.
            b"fmt " => {
                format_fits = body.get(..8) == Some(&[1, 0, 1, 0, 0x40, 0x1f, 0, 0])
                    && body.get(14..16) == Some(&[8, 0]);
            }
            b"data" => return format_fits.then(|| body.to_vec()),
            _ => {}
        }
        rest = after.get(length.checked_add(length % 2)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::samples;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
        for (name, body) in chunks {
            bytes.extend_from_slice(*name);
            bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(body);
            bytes.resize(bytes.len() + body.len() % 2, 0);
        }
        bytes
    }

    const FORMAT: &[u8] = &[1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0];

    #[test]
    fn chunks_before_the_data_are_stepped_over_even_odd_ones() {
        let bytes = file(&[
            (b"fmt ", FORMAT),
            (b"LIST", b"abcde"),
            (b"data", &[1, 2, 3]),
        ]);
        assert_eq!(samples(&bytes), Some(vec![1, 2, 3]));
    }

    #[test]
    fn another_format_is_refused() {
        let mut stereo = FORMAT.to_vec();
        stereo[2] = 2;
        assert_eq!(
            samples(&file(&[(b"fmt ", &stereo), (b"data", &[1, 2])])),
            None
        );
        assert_eq!(samples(b"RIFF"), None);
    }
}
