//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // The time-zone tables hold 34,000 pointers. In a position-independent program the loader has to
    // write each of them at every start, which costs 1.8 MB of memory that nothing can share: a
    // quarter of all the daemon uses. Stack, heap and libraries are still placed at random.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
