//! How the program is linked: at a fixed address and, where the C library can be had that way, as one
//! static file. Both for the memory of a daemon that may be all a small board has to run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // The time-zone tables hold 34,000 pointers. In a position-independent program the loader has to
    // write each of them at every start, which costs 1.8 MB of memory that nothing can share: a
    // quarter of all the daemon uses. Stack and heap are still placed at random.
    println!("cargo::rustc-link-arg-bins=-no-pie");
    link_statically();
}

/// Of a shared C library the loader maps, relocates and touches 1.2 MB more than what is used of it.
///
/// The compiler's own switch for this (`crt-static`) cannot be had from inside a package without an
/// explicit target, because procedural macros would be linked so as well. So the linker is told to
/// look first into a folder that holds the three libraries the standard library asks for.
fn link_statically() {
    let linker = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".into());
    let library = |name: &str| static_library(&linker, name);
    // Without the static ones, as on distributions that pack them apart, the shared ones will do.
    let (Some(c), Some(math), Some(_), Some(folder)) = (
        library("libc.a"),
        library("libm.a"),
        library("libgcc_eh.a"),
        env::var_os("OUT_DIR").map(PathBuf::from),
    ) else {
        return;
    };
    let scripts = [
        ("libc.a", format!("INPUT({})", c.display())),
        ("libm.a", format!("INPUT({})", math.display())),
        ("libgcc_s.a", "INPUT(-lgcc_eh -lgcc)".to_owned()),
    ];
    let written = scripts
        .iter()
        .all(|(name, script)| fs::write(folder.join(name), script).is_ok());
    if written {
        println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
        println!("cargo::rustc-link-arg-bins=-static");
    }
}

/// Where the linker finds a static library, if it has it.
fn static_library(linker: &str, name: &str) -> Option<PathBuf> {
    let output = Command::new(linker)
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // A library that is not there is given back as the bare name.
    let path = Path::new(path.trim());
    path.is_absolute().then(|| path.to_owned())
}
