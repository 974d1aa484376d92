//! The sample events: each is read as the function reads it.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::template::{FUNCTIONS, root};

/// The samples of a function: name and content.
pub(crate) fn samples(function: &str) -> Vec<(String, String)> {
    let folder = root().join("events").join(function);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{function}: {error}"));
    let mut samples: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            assert!(path.extension().is_some_and(|it| it == "json"), "{name}");
            (name, fs::read_to_string(&path).expect("a sample"))
        })
        .collect();
    samples.sort();
    samples
}

/// One sample as text.
pub(crate) fn sample(function: &str, name: &str) -> String {
    let found = samples(function).into_iter().find(|(it, _)| it == name);
    found
        .unwrap_or_else(|| panic!("there is no {function}/{name}"))
        .1
}

/// The samples of a function are exactly these.
#[track_caller]
pub(crate) fn assert_samples<'a>(function: &str, names: impl IntoIterator<Item = &'a str>) {
    let there = samples(function).into_iter().map(|(name, _)| name);
    let there: BTreeSet<_> = there.collect();
    let wanted: BTreeSet<_> = names.into_iter().map(str::to_owned).collect();
    assert_eq!(there, wanted, "the samples of {function}");
}

#[test]
fn every_function_has_samples_and_every_sample_is_json() {
    let folders = fs::read_dir(root().join("events")).expect("samples");
    let folders: BTreeSet<_> = folders
        .map(|folder| folder.expect("a folder"))
        .filter(|folder| folder.file_type().expect("a kind").is_dir())
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, FUNCTIONS.map(str::to_owned).into());
    for function in FUNCTIONS {
        let samples = samples(function);
        assert!(samples.len() >= 4, "{function}");
        for (name, text) in samples {
            let read: Result<Value, _> = serde_json::from_str(&text);
            assert!(read.is_ok_and(|it| it.is_object()), "{function}/{name}");
        }
    }
}
