//! The patches of `tests/broken` still fit the product: a patch that does not apply shows nothing.
//! That the suite notices each of them is shown by `tests/broken/run`.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository")
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names and texts of all patches.
fn patches() -> Vec<(String, String)> {
    let folder = fs::read_dir(root().join("tests/broken")).expect("the folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "patch"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), read(&path))
        })
        .collect()
}

/// One place that a patch changes: the file, and its lines there before and after.
struct Hunk {
    file: String,
    before: String,
    after: String,
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let mut file = String::new();
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut lines = patch.lines().skip_while(|line| !line.starts_with("--- "));
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("--- a/") {
            path.clone_into(&mut file);
            let new = lines.next();
            assert_eq!(new, Some(format!("+++ b/{path}").as_str()));
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk {
                file: file.clone(),
                before: String::from("\n"),
                after: String::from("\n"),
            });
        } else {
            let hunk = hunks.last_mut().expect("a line after its hunk's head");
            let (mark, text) = line.split_at_checked(1).unwrap_or((" ", ""));
            for (kept, side) in [("-", &mut hunk.before), ("+", &mut hunk.after)] {
                if mark == kept || mark == " " {
                    side.push_str(text);
                    side.push('\n');
                }
            }
            assert!(["-", "+", " "].contains(&mark), "{line}");
        }
    }
    hunks
}

#[test]
fn every_patch_still_applies_to_the_product() {
    let patches = patches();
    assert!(patches.len() >= 10, "{} patches", patches.len());
    for (name, patch) in patches {
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{name} changes nothing");
        for hunk in hunks {
            let Hunk {
                file,
                before,
                after,
            } = hunk;
            assert!(file.contains("/src/"), "{name} changes {file}");
            assert_ne!(before, after, "{name} changes nothing");
            let found = format!("\n{}", read(&root().join(&file)))
                .matches(&before)
                .count();
            assert_eq!(found, 1, "{name} no longer fits {file}:\n{before}");
        }
    }
}

#[test]
fn every_patch_says_what_is_broken_and_names_the_suite_that_notices() {
    let told = read(&root().join("tests/broken/README.md"));
    for (name, patch) in patches() {
        let head = patch.split("\n--- ").next().unwrap_or_default();
        let suites = head.lines().filter(|line| line.starts_with("Suite: -p "));
        assert_eq!(suites.count(), 1, "{name}");
        assert!(!head.starts_with("Suite:"), "{name} does not say why");
        assert!(told.contains(&format!("`{name}`")), "{name} is not told");
    }
}
