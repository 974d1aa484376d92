//! The program under test, built once per test process.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of the program, just built from the sources as they are.
pub fn purser() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The test itself lies in the folder where the program belongs: target/<profile>/deps/<test>.
    let test = std::env::current_exe().expect("the path of the running test");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("the folder of the built programs");
    let mut command = Command::new(cargo);
    command
        .args(["build", "--locked", "--quiet", "-p", "purser"])
        .current_dir(root);
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    if folder.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    let built = command.output().expect("cargo can be started");
    assert!(
        built.status.success(),
        "THE PROGRAM `purser` CANNOT BE BUILT, so no test of it can run:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    folder.join(format!("purser{}", std::env::consts::EXE_SUFFIX))
}
