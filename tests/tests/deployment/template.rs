//! A template of `CloudFormation` as JSON, with its short forms written out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The functions, in the order of the page.
pub(crate) const FUNCTIONS: [&str; 8] = [
    "scanner", "worker", "sweeper", "oauth", "settings", "sync-one", "logs", "retry",
];

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a workspace").to_owned()
}

/// A file of the workspace as text.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One template.
pub(crate) struct Template(Value);

impl Template {
    /// The application.
    pub(crate) fn application() -> Self {
        Self::read("template.yaml")
    }

    /// A template of the workspace.
    pub(crate) fn read(path: &str) -> Self {
        let text = text(path);
        let mut documents = Yaml::load_from_str(&text).expect("a template is YAML");
        assert_eq!(documents.len(), 1, "{path} is one document");
        Self(written_out(&documents.remove(0)))
    }

    /// What stands at this place, such as `/Globals/Function`; null when nothing does.
    pub(crate) fn at(&self, place: &str) -> &Value {
        self.0.pointer(place).unwrap_or(&Value::Null)
    }

    /// The properties of a resource.
    pub(crate) fn properties(&self, name: &str) -> &Value {
        let found = self.at(&format!("/Resources/{name}/Properties"));
        assert!(!found.is_null(), "there is no resource {name}");
        found
    }

    /// Every resource of a type: its name and its properties.
    pub(crate) fn all(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.at("/Resources").as_object().expect("resources");
        let found = resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == *kind);
        found
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
            .collect()
    }

    /// Every type of resource in it.
    pub(crate) fn types(&self) -> Vec<&str> {
        let resources = self.at("/Resources").as_object().expect("resources");
        let types = resources.values().map(|resource| &resource["Type"]);
        types.map(|kind| kind.as_str().expect("a type")).collect()
    }

    /// The resource of a function of ours, such as `SyncOne` for `sync-one`.
    pub(crate) fn function(&self, name: &str) -> &Value {
        self.properties(&resource_name(name))
    }

    /// A property of a function, its own or that of all.
    pub(crate) fn setting(&self, function: &str, property: &str) -> &Value {
        let own = &self.function(function)[property];
        if own.is_null() {
            &self.at("/Globals/Function")[property]
        } else {
            own
        }
    }
}

/// `SyncOne` for `sync-one`.
pub(crate) fn resource_name(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

/// One text for a value: `${Name}` for a reference, `${Name.Arn}` for an attribute, the text itself
/// for a substitution, `import NAME` for another stack's export.
pub(crate) fn rendered(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    if let Some(name) = value["Ref"].as_str() {
        return format!("${{{name}}}");
    }
    if let Some(name) = value["Fn::GetAtt"].as_str() {
        return format!("${{{name}}}");
    }
    match (&value["Fn::Sub"], &value["Fn::ImportValue"]) {
        (Value::String(text), _) => text.clone(),
        // A text with variables of its own.
        (Value::Array(parts), _) => rendered(&parts[0]),
        (_, Value::Null) => panic!("{value} is no text"),
        (_, name) => format!("import {}", rendered(name)),
    }
}

/// A value that may be one or a list of several.
pub(crate) fn several(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(rendered).collect(),
        one => vec![rendered(one)],
    }
}

fn written_out(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => json!(value),
            Scalar::Integer(value) => json!(value),
            Scalar::FloatingPoint(value) => json!(value.into_inner()),
            Scalar::String(value) => json!(value),
        },
        Yaml::Sequence(values) => values.iter().map(written_out).collect(),
        Yaml::Mapping(values) => {
            let mut map = Map::new();
            for (name, value) in values {
                let name = match written_out(name) {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                assert!(!map.contains_key(&name), "{name} stands there twice");
                map.insert(name, written_out(value));
            }
            Value::Object(map)
        }
        Yaml::Tagged(tag, value) => {
            let name = match tag.suffix.as_str() {
                "Ref" => "Ref".to_owned(),
                "Condition" => "Condition".to_owned(),
                other => format!("Fn::{other}"),
            };
            json!({ name: written_out(value) })
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            panic!("CloudFormation knows no {node:?}")
        }
    }
}
