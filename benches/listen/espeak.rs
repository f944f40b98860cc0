//! Speech from espeak-ng in several voices and languages, where it is installed.

use std::io::Read as _;
use std::process::{Command, Stdio};

use fastrand::Rng;

use crate::Plan;
use crate::corpus::{pick, speech::telephone_band};

const LANGUAGES: [(&str, &[&str]); 7] = [
    ("en-us", ENGLISH),
    ("en-gb", ENGLISH),
    ("de", GERMAN),
    ("fr", FRENCH),
    ("it", ITALIAN),
    ("es", SPANISH),
    ("ru", RUSSIAN),
];

/// Half of them are women's and those of one clear tone: their few strong overtones are nearest to keys.
const VARIANTS: [&str; 18] = [
    "m1", "m2", "m3", "m4", "m6", "m7", "croak", "klatt2", "Michael", "f1", "f2", "f2", "f3", "f3",
    "f4", "f4", "f5", "iven",
];

const ENGLISH: &[&str] = &[
    "hello this is about your car's extended warranty",
    "please hold while we connect you to the next free agent",
    "press one for sales two for support or stay on the line",
    "we have been trying to reach you for several weeks",
    "who is calling please I cannot hear you very well",
    "your computer has a problem and we are from the technical department",
    "do you own your house or are you renting it",
    "the weather was awful and nobody would come to the beach",
];
const GERMAN: &[&str] = &[
    "guten Tag mein Name ist Schmidt von der Energieberatung",
    "haben Sie einen Moment Zeit für eine kurze Umfrage",
    "bitte drücken Sie die eins um mit einem Mitarbeiter zu sprechen",
    "wir rufen wegen Ihres Stromvertrages an",
    "ich habe leider keine Ahnung wovon Sie reden",
];
const FRENCH: &[&str] = &[
    "bonjour madame je vous appelle au sujet de votre compteur",
    "ne quittez pas un conseiller va vous répondre",
    "appuyez sur la touche un pour être mis en relation",
    "avez-vous déjà profité de la prime à la rénovation",
];
const ITALIAN: &[&str] = &[
    "buongiorno la chiamo per un'offerta sulla bolletta della luce",
    "resti in linea la metteremo in contatto con un operatore",
    "prema uno per accettare oppure due per rifiutare",
];
const SPANISH: &[&str] = &[
    "buenas tardes le llamo de su compañía telefónica",
    "pulse uno si desea hablar con un agente",
    "no cuelgue por favor su llamada es muy importante",
];
const RUSSIAN: &[&str] = &[
    "здравствуйте вас беспокоит служба безопасности банка",
    "оставайтесь на линии вам ответит первый освободившийся оператор",
    "нажмите один чтобы продолжить разговор",
];

const CRIES: [&str; 8] = [
    "ah",
    "oh",
    "aaah",
    "ooh la la",
    "ha ha ha",
    "hello",
    "no no no",
    "uh huh",
];

/// Hands over the plan's hours of speech, about two minutes at a time; says so if there is no espeak-ng.
pub(crate) fn speak(plan: &Plan, mut take: impl FnMut(Vec<f32>)) {
    let mut seconds = 0.0;
    let mut seed = plan.first_seed;
    while seconds < plan.hours * 3600.0 {
        let Some(talk) = talk(seed) else {
            println!("espeak-ng is not installed: its part is left out");
            return;
        };
        seconds += talk.len() as f32 / 8000.0;
        seed += 1;
        take(talk);
    }
}

fn talk(seed: u64) -> Option<Vec<f32>> {
    let mut rng = Rng::with_seed(seed);
    let (language, sentences) = pick(&mut rng, &LANGUAGES);
    let voice = format!("{language}+{}", pick(&mut rng, &VARIANTS));
    let text: Vec<String> = (0..24)
        .map(|_| {
            // Questions and cries rise.
            let end = pick(&mut rng, &[".", ".", "?", "!"]);
            match rng.u8(..6) {
                0 => format!("{}{end}", rng.u32(1000..99_999)),
                1 => format!("{}{end}", pick(&mut rng, &CRIES)),
                _ => format!("{}{end}", pick(&mut rng, sentences)),
            }
        })
        .collect();
    let (words_a_minute, pitch) = (rng.u8(115..250).to_string(), rng.u8(..100).to_string());
    let mut child = Command::new("espeak-ng")
        .args([
            "-v",
            &voice,
            "-s",
            &words_a_minute,
            "-p",
            &pitch,
            "--stdout",
            &text.join(" "),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut wav = Vec::new();
    child.stdout.take()?.read_to_end(&mut wav).ok()?;
    child.wait().ok()?;
    // 16 bits, mono, 22 050 Hz, after a header of 44 bytes.
    let wide: Vec<f32> = wav
        .get(44..)?
        .chunks_exact(2)
        .map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0)
        .collect();
    let mut talk = to_line_rate(&wide);
    telephone_band(&mut talk);
    Some(talk)
}

/// From 22 050 to 8000 Hz, by a windowed sinc that ends at 3.6 kHz.
fn to_line_rate(wide: &[f32]) -> Vec<f32> {
    const REACH: i64 = 16;
    let step = 22_050.0 / 8000.0;
    let count = (wide.len() as f64 / step) as usize;
    (0..count)
        .map(|n| {
            let centre = n as f64 * step;
            let middle = centre.floor() as i64;
            (middle - REACH..=middle + REACH)
                .filter_map(|k| {
                    let x = wide.get(usize::try_from(k).ok()?)?;
                    let away = (k as f64 - centre) as f32;
                    let angle = std::f32::consts::TAU * 3600.0 / 22_050.0 * away;
                    let sinc = if angle.abs() < 1e-4 {
                        1.0
                    } else {
                        angle.sin() / angle
                    };
                    let fade = 0.5 + 0.5 * (std::f32::consts::PI * away / (REACH + 1) as f32).cos();
                    Some(x * sinc * fade * 7200.0 / 22_050.0)
                })
                .sum()
        })
        .collect()
}
