//! One function for each package, one package for each function, and what each is told.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::MetadataCommand;
use serde_json::{Value, json};

use crate::template::{FUNCTIONS, Template, rendered, resource_name, root, text};

/// The packages in `functions`, without the program of one machine: folder and name.
fn packages() -> Vec<(String, String)> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("metadata");
    let packages = metadata.packages.iter().filter_map(|package| {
        let folder = package.manifest_path.parent()?;
        let name = folder.file_name()?;
        let is_function = folder.parent()?.file_name()? == "functions" && name != "local";
        is_function.then(|| (name.to_owned(), package.name.to_string()))
    });
    packages.collect()
}

#[test]
fn each_function_package_is_deployed_and_each_deployed_function_is_a_package() {
    let template = Template::application();
    let deployed: BTreeMap<_, _> = template
        .all("AWS::Serverless::Function")
        .into_iter()
        .map(|(name, function)| (rendered(&function["CodeUri"]), name.to_owned()))
        .collect();
    let wanted: BTreeMap<_, _> = packages()
        .into_iter()
        .map(|(folder, package)| {
            assert_eq!(package, format!("purser-{folder}"));
            (format!("functions/{folder}"), resource_name(&folder))
        })
        .collect();
    assert_eq!(deployed, wanted);
    assert_eq!(deployed.len(), FUNCTIONS.len());
}

#[test]
fn each_function_is_the_program_of_its_package() {
    let template = Template::application();
    for name in FUNCTIONS {
        let resource = resource_name(name);
        let function = template.function(name);
        let metadata = template.at(&format!("/Resources/{resource}/Metadata"));
        assert_eq!(metadata["BuildMethod"], "rust-cargolambda", "{name}");
        assert_eq!(metadata["BuildProperties"]["Binary"], *name, "{name}");
        let named = rendered(&function["FunctionName"]);
        assert_eq!(named, format!("${{AWS::StackName}}-{name}"));
        assert_eq!(
            rendered(&function["Role"]),
            format!("${{{resource}Role.Arn}}")
        );
        assert_eq!(template.setting(name, "Runtime"), "provided.al2023");
        assert_eq!(template.setting(name, "Handler"), "bootstrap");
        let group = template.properties(&format!("{resource}Log"));
        let path = format!("/aws/lambda/${{AWS::StackName}}-{name}");
        assert_eq!(rendered(&group["LogGroupName"]), path);
    }
    assert_eq!(template.at("/Parameters/Architecture/Default"), "arm64");
}

/// Which variables the code of each function reads: the table in the source, as this test must not
/// compile the crates of AWS.
fn read_by_code() -> BTreeMap<String, BTreeSet<String>> {
    let source = text("shared/lambda/src/environment.rs");
    let part = |from: &str| {
        let rest = &source[source
            .find(from)
            .unwrap_or_else(|| panic!("there is no {from}"))..];
        let rest = &rest[rest.find(" = ").expect("a value")..];
        rest[..rest.find(';').expect("an end")].to_owned()
    };
    let texts = |part: &str| -> Vec<String> {
        part.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let every = texts(&part("const OPTIONAL"));
    assert!(every.len() > 4, "{every:?}");
    let table = part("const VARIABLES");
    let rows = table.split('(').skip(1).map(|row| {
        let function = texts(row).remove(0);
        let constants = row.split(['[', ']']).nth(1).expect("a list").split(',');
        let constants = constants.map(str::trim).filter(|name| !name.is_empty());
        let names = constants.map(|name| texts(&part(&format!("const {name}: &str"))).remove(0));
        (function, names.chain(every.clone()).collect())
    });
    rows.collect()
}

#[test]
fn each_function_is_told_exactly_what_its_code_reads() {
    let template = Template::application();
    let names = |value: &Value| -> BTreeSet<String> {
        let variables = value["Variables"].as_object().expect("variables");
        variables.keys().cloned().collect()
    };
    let every = names(template.at("/Globals/Function/Environment"));
    let mut told = BTreeMap::new();
    for function in FUNCTIONS {
        let mut own = names(&template.function(function)["Environment"]);
        assert!(
            own.is_disjoint(&every),
            "{function} is told something twice"
        );
        own.extend(every.clone());
        told.insert(function.to_owned(), own);
    }
    assert_eq!(told, read_by_code());
}

#[test]
fn nothing_is_deployed_that_a_new_account_cannot_have_or_anybody_can_read() {
    for path in ["template.yaml", "infra/foundation.yaml"] {
        let template = Template::read(path);
        for kind in template.types() {
            let is_open = kind.starts_with("AWS::S3::")
                || kind.starts_with("AWS::EC2::")
                || kind == "AWS::Lambda::Url";
            assert!(!is_open, "{path} holds {kind}");
        }
    }
    let template = Template::application();
    for name in FUNCTIONS {
        for property in [
            "ReservedConcurrentExecutions",
            "VpcConfig",
            "FunctionUrlConfig",
        ] {
            assert!(
                template.setting(name, property).is_null(),
                "{name}: {property}"
            );
        }
    }
}

#[test]
fn no_log_can_be_made_so_deep_that_libraries_write_whole_requests() {
    let template = Template::application();
    let levels = template.at("/Parameters/LogLevel/AllowedValues");
    assert_eq!(*levels, json!(["error", "warn", "info", "debug"]));
}

#[test]
fn whoever_deploys_keeps_the_parameters_in_a_file_of_their_own() {
    assert!(
        text(".gitignore")
            .lines()
            .any(|line| line == "/purser.toml")
    );
    for path in ["README.md", "infra/README.md"] {
        let document = text(path);
        let commands: Vec<_> = document
            .split("```")
            .filter(|block| block.starts_with("sh\n"))
            .flat_map(str::lines)
            .filter(|line| line.contains("sam deploy") || line.contains("sam delete"))
            .collect();
        assert!(!commands.is_empty(), "{path}");
        for command in commands {
            assert!(command.contains("--config-file purser.toml"), "{command}");
        }
        // What is only said on a command line is gone after the next deployment.
        for said in document.split("--parameter-overrides ").skip(1) {
            assert!(said.starts_with("file://"), "{path}: {said:.40}");
        }
    }
}
