//! Devices, files and folders that are named, or found when none is.

use super::*;

#[test]
fn the_device_is_a_node_or_a_word() {
    let machine = Machine::new();
    let device = |word: &str| {
        machine
            .settings(&format!("--device {word}"))
            .map(|s| s.device)
    };
    for (word, expected) in [
        ("auto", DeviceChoice::Auto),
        ("emulated", DeviceChoice::Emulated(None)),
        ("./auto", DeviceChoice::Node("./auto".into())),
        ("/dev/none", DeviceChoice::Node("/dev/none".into())),
    ] {
        assert_eq!(device(word).expect(word), expected, "{word}");
    }
}

#[test]
fn a_terminal_is_a_device_and_other_things_are_not() {
    let machine = Machine::new();
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags).expect("a pseudo-terminal");
    rustix::pty::grantpt(&master).expect("granted");
    rustix::pty::unlockpt(&master).expect("unlocked");
    let node = rustix::pty::ptsname(&master, Vec::new()).expect("has a name");
    let node = node.to_str().expect("plain").to_owned();
    assert_eq!(
        machine
            .settings(&format!("--device {node}"))
            .expect("good")
            .device,
        DeviceChoice::Node(node.into())
    );

    for wrong in ["@block.csv", "@folder", "/dev/null"] {
        let error = machine.settings(&format!("--device {wrong}"));
        assert!(
            matches!(error, Err(UsageError::NoTerminal { .. })),
            "{wrong}"
        );
    }
    // Absent now, plugged in later.
    machine.settings("--device @none").expect("good");
}

#[test]
fn a_file_must_be_there_and_only_a_list_may_be_a_folder() {
    let machine = Machine::new();
    for flags in ["-b", "-w", "-b @block.csv -b", "-t -a", "-d -a", "-m -a"] {
        let is_list = !flags.ends_with("-a");
        let missing = machine
            .settings(&format!("{flags} @none"))
            .expect_err(flags);
        assert!(
            matches!(&missing, UsageError::NoSuchFile { path, .. } if *path == machine.path("none")),
            "{missing}"
        );
        match machine.settings(&format!("{flags} @folder")) {
            Ok(_) => assert!(is_list, "{flags}"),
            Err(UsageError::Folder { path, .. }) => {
                assert!(!is_list, "{flags}");
                assert_eq!(path, machine.path("folder"));
            }
            Err(other) => panic!("{flags}: {other}"),
        }
    }
    for scenario in ["@none", "@calls.toml/none"] {
        let error = machine.settings(&format!("--device emulated:{scenario}"));
        assert!(
            matches!(error, Err(UsageError::NoSuchFile { .. })),
            "{scenario}"
        );
    }
}

#[test]
fn a_list_that_cannot_be_reached_is_left_to_its_reader() {
    let machine = Machine::new();
    std::os::unix::fs::symlink("loop", machine.path("loop")).expect("linked");
    machine.settings("-b @loop -w @loop").expect("good");
    let error = machine.settings("-m -a @loop").expect_err("unreachable");
    assert!(matches!(error, UsageError::Unreachable { .. }), "{error}");
}

#[test]
fn a_data_folder_may_be_absent_but_must_not_be_something_else() {
    let machine = Machine::new();
    machine.settings("--data-dir @folder").expect("good");
    machine.settings("--data-dir @deep/er").expect("good");
    for wrong in ["@block.csv", "@block.csv/data"] {
        let error = machine.settings(&format!("--data-dir {wrong}"));
        assert!(matches!(error, Err(UsageError::NoFolder { .. })), "{wrong}");
    }
}

#[test]
fn the_data_folder_follows_the_environment() {
    let data_dir = |state_directory: Option<&str>, home: Option<&str>| {
        Environment {
            state_directory: state_directory.map(Into::into),
            home: home.map(Into::into),
            ..Environment::default()
        }
        .data_dir()
    };
    let state = Some("/var/lib/callblock");
    assert_eq!(
        data_dir(state, Some("/root")).as_deref(),
        state.map(Path::new)
    );
    for absent in [None, Some("")] {
        assert_eq!(
            data_dir(absent, Some("/home/pat")).as_deref(),
            Some(Path::new("/home/pat/callblock"))
        );
        assert_eq!(data_dir(absent, absent), None);
    }

    let cache_dir = |variable: &str| {
        let environment = Environment {
            home: Some("/home/pat".into()),
            cache_directory: Some(variable.into()),
            ..Environment::default()
        };
        let settings = Settings::new(parse("").expect("good").daemon, &environment);
        settings.expect("good").cache_dir
    };
    let cache = "/var/cache/callblock";
    assert_eq!(cache_dir(cache).as_deref(), Some(Path::new(cache)));
    assert_eq!(cache_dir(""), None);

    let error = Settings::new(parse("").expect("good").daemon, &Environment::default());
    assert!(matches!(error, Err(UsageError::NoHome)));
}
