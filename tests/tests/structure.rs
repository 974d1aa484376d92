//! The shape of the repository: who may depend on whom, how long files may be, what must not stand
//! in them, and that `tests/README.md` tells the truth about the tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each package may depend on besides foreign crates.
const EDGES: [(&str, &[&str]); 20] = [
    ("purser-cases", &[]),
    ("purser-transport", &[]),
    ("purser-core", &[]),
    ("purser-autotask", &["purser-core", "purser-transport"]),
    ("purser-quickbooks", &["purser-core", "purser-transport"]),
    ("purser-sqlite", &["purser-core"]),
    ("purser-aws", &["purser-core"]),
    (
        "purser-lambda",
        &[
            "purser-aws",
            "purser-core",
            "purser-runtime",
            "purser-transport",
            "purser-web",
        ],
    ),
    ("purser-scanner", &["purser-lambda"]),
    ("purser-worker", &["purser-lambda", "purser-runtime"]),
    ("purser-sweeper", &["purser-lambda"]),
    ("purser-oauth", &["purser-lambda", "purser-web"]),
    ("purser-settings", &["purser-lambda", "purser-web"]),
    ("purser-sync-one", &["purser-lambda", "purser-web"]),
    ("purser-logs", &["purser-lambda", "purser-web"]),
    ("purser-retry", &["purser-lambda", "purser-web"]),
    ("purser-simulators", &["purser-transport"]),
    (
        "purser-runtime",
        &[
            "purser-autotask",
            "purser-core",
            "purser-quickbooks",
            "purser-transport",
        ],
    ),
    (
        "purser-web",
        &["purser-core", "purser-quickbooks", "purser-runtime"],
    ),
    (
        "purser",
        &[
            "purser-core",
            "purser-runtime",
            "purser-simulators",
            "purser-sqlite",
            "purser-transport",
            "purser-web",
        ],
    ),
];
/// The only packages that may reach AWS; the functions do so through the first of them.
const REACH_AWS: [&str; 2] = ["purser-lambda", "purser-tests"];
/// The only packages that may reach the embedded store or the simulators.
const REACH_SQLITE: [&str; 2] = ["purser", "purser-tests"];
/// A file with more lines of code is told; one with many more fails.
const LINES_TOLD: usize = 500;
const LINES_MAX: usize = 700;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a workspace").to_owned()
}

/// Every package of ours with those of ours that it depends on; `dev` adds what only tests need.
fn edges(dev: bool) -> BTreeMap<String, BTreeSet<String>> {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec();
    let packages = metadata.expect("metadata").packages;
    let edges = packages.into_iter().map(|package| {
        let ours = package.dependencies.iter().filter(|dependency| {
            let wanted = dev || dependency.kind != DependencyKind::Development;
            wanted && dependency.path.is_some()
        });
        let ours = ours.map(|dependency| dependency.name.clone()).collect();
        (package.name.to_string(), ours)
    });
    edges.collect()
}

#[test]
fn packages_depend_on_one_another_only_as_designed() {
    let edges = edges(false);
    for (package, allowed) in EDGES {
        let found = edges
            .get(package)
            .unwrap_or_else(|| panic!("there is no package {package}"));
        let allowed: BTreeSet<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert!(found.is_subset(&allowed), "{package} depends on {found:?}");
    }
}

#[test]
fn only_the_program_and_the_tests_reach_the_embedded_store() {
    for (package, found) in edges(true) {
        let reaches = found.contains("purser-sqlite");
        let may = REACH_SQLITE.contains(&package.as_str()) || package == "purser-sqlite";
        assert!(!reaches || may, "{package} reaches the embedded store");
    }
}

#[test]
fn only_what_the_functions_share_and_the_tests_reach_aws() {
    for (package, found) in edges(true) {
        let may = REACH_AWS.contains(&package.as_str());
        assert!(
            !found.contains("purser-aws") || may,
            "{package} reaches AWS"
        );
    }
}

#[test]
fn what_makes_up_cases_reaches_no_program_that_is_shipped() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("metadata");
    let mut users = 0;
    for package in metadata.packages {
        // The suites are shipped to nobody.
        if ["purser-cases", "purser-tests"].contains(&package.name.as_str()) {
            continue;
        }
        for dependency in &package.dependencies {
            let makes_cases = ["proptest", "mutatis", "purser-cases"];
            if makes_cases.contains(&dependency.name.as_str()) {
                users += 1;
                let kind = dependency.kind;
                let name = &package.name;
                assert_eq!(kind, DependencyKind::Development, "{name} is built with it");
            }
        }
    }
    assert!(users > 5, "the properties were found");
}

#[test]
fn the_core_knows_no_outside_world() {
    let manifest = root().join("shared/core/Cargo.toml");
    let text = fs::read_to_string(manifest).expect("the manifest of the core");
    let dependencies = text.split("[dependencies]").nth(1).expect("dependencies");
    let dependencies = dependencies.split("\n[").next().expect("dependencies");
    for foreign in [
        "tokio", "reqwest", "rusqlite", "rand", "axum", "hyper", "http", "lettre",
    ] {
        let named = |line: &str| {
            line.starts_with(&format!("{foreign}.")) || line.starts_with(&format!("{foreign} "))
        };
        assert!(
            !dependencies.lines().any(named),
            "the core depends on {foreign}"
        );
    }
}

#[test]
fn a_bare_cargo_run_has_exactly_one_program_to_choose() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("metadata");
    let defaults = metadata.workspace_default_packages();
    let targets = defaults.iter().flat_map(|package| &package.targets);
    let programs: Vec<_> = targets
        .filter(|target| target.is_bin())
        .map(|target| target.name.as_str())
        .collect();
    assert_eq!(programs, ["purser"]);
}

#[test]
fn what_is_built_by_default_holds_no_cloud_sdk() {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .exec()
        .expect("metadata");
    let defaults: BTreeSet<_> = metadata.workspace_default_members.iter().collect();
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let mut reached: BTreeSet<_> = defaults.into_iter().cloned().collect();
    let mut open: Vec<_> = reached.iter().cloned().collect();
    while let Some(id) = open.pop() {
        let node = resolve
            .nodes
            .iter()
            .find(|node| node.id == id)
            .expect("a node");
        for next in &node.dependencies {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    assert!(reached.len() > 100, "the graph was walked");
    let sdk = metadata
        .packages
        .iter()
        .filter(|package| reached.contains(&package.id));
    let sdk: Vec<_> = sdk
        .map(|package| package.name.to_string())
        .filter(|name| name.starts_with("aws-sdk") || name.starts_with("aws-smithy"))
        .collect();
    assert!(sdk.is_empty(), "{sdk:?}");
}

/// Every file of ours, without what is built or kept by other programs.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir()
                && !matches!(name.as_str(), "target" | ".git" | ".tools" | "node_modules")
            {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}

fn sources() -> Vec<(PathBuf, String)> {
    let rust = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let sources: Vec<_> = rust
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source");
            (path, text)
        })
        .collect();
    assert!(sources.len() > 100, "the sources were found");
    sources
}

/// Whether a file is only there for tests.
fn is_test_file(path: &Path) -> bool {
    let shown = path.to_string_lossy();
    let name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    shown.contains("/tests/") || name == "tests" || name == "testing" || name.ends_with("_tests")
}

#[test]
fn no_file_is_long() {
    for (path, text) in sources() {
        let code = text
            .split("\n#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let lines = code.lines().count();
        if lines > LINES_TOLD && !is_test_file(&path) {
            println!("{} has {lines} lines of code", path.display());
        }
        assert!(
            lines <= LINES_MAX || is_test_file(&path),
            "{} has {lines}",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later_and_no_machine_is_named() {
    // Put together here, so that this file does not hold them itself.
    let later = [
        ["TO", "DO:"].concat(),
        ["FIX", "ME"].concat(),
        ["// TO", "DO"].concat(),
    ];
    let machines = [
        ["/ho", "me/"].concat(),
        ["/Us", "ers/"].concat(),
        ["/wo", "rk/"].concat(),
    ];
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue; // Not a text.
        };
        for word in later.iter().chain(&machines) {
            assert!(
                !text.contains(word.as_str()),
                "{} holds {word}",
                path.display()
            );
        }
    }
}

/// The rows of the feature list.
fn rows() -> impl Iterator<Item = u32> {
    1..=102
}

/// The table of `tests/README.md`: rows and the tests that it names.
fn table() -> BTreeMap<u32, Vec<String>> {
    let text = fs::read_to_string(root().join("tests/README.md")).expect("the table");
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let Some(row) = cells.get(1).and_then(|cell| cell.parse().ok()) else {
            continue;
        };
        let tests = cells.get(3).copied().unwrap_or_default();
        let tests = tests
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert!(
            table.insert(row, tests).is_none(),
            "row {row} stands there twice"
        );
    }
    table
}

#[test]
fn every_row_of_the_feature_list_names_its_tests() {
    let table = table();
    for row in rows() {
        let tests = table
            .get(&row)
            .unwrap_or_else(|| panic!("row {row} is missing"));
        assert!(!tests.is_empty(), "row {row} names no test");
    }
}

/// The stories that a real browser plays.
fn stories() -> Vec<String> {
    let stories = files()
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"));
    let stories: Vec<_> = stories
        .map(|path| fs::read_to_string(path).expect("a source"))
        .collect();
    assert!(!stories.is_empty(), "the stories were found");
    stories
}

#[test]
fn every_test_that_the_table_names_exists() {
    let sources = sources();
    let stories = stories();
    for (row, tests) in table() {
        for test in tests {
            let text = format!("fn {test}(");
            let in_rust = sources
                .iter()
                .any(|(_, source)| source.contains(&text) && source.contains("test"));
            let text = format!("it('{test}',");
            let in_browser = stories.iter().any(|source| source.contains(&text));
            assert!(in_rust || in_browser, "row {row}: there is no test {test}");
        }
    }
}
