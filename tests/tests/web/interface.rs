//! The document of the JSON interface: every operation stands in it with all that it takes and
//! answers, and nothing else does.

use std::collections::BTreeSet;

use http::Method;
use purser_tests::stage::Stage;
use purser_web::{Needs, addresses};
use serde_json::{Value, json};

async fn document() -> Value {
    let stage = Stage::new().await;
    let mut visitor = stage.site().visitor();
    visitor.read("/openapi.json").await
}

/// The operation of a method and a path as the document has it.
pub(crate) fn operation<'d>(document: &'d Value, method: &Method, path: &str) -> &'d Value {
    let found = &document["paths"][path][method.as_str().to_lowercase()];
    assert!(found.is_object(), "{method} {path} is not in the document");
    found
}

/// Every operation of the document, with its method and path in words.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    });
    each.collect()
}

/// Every reference within a part of the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Allows no field that is not told.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_list = fields.get("properties").is_some_and(Value::is_object);
            if is_list && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

/// A schema of the document, with what it refers to, as one that fits or does not.
#[track_caller]
pub(crate) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    assert!(whole.is_object(), "{schema}");
    whole["components"] = document["components"].clone();
    close(&mut whole);
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    let built = options.build(&whole);
    built.unwrap_or_else(|error| panic!("{error}: {schema}"))
}

#[tokio::test(start_paused = true)]
async fn the_document_and_the_routes_know_the_same_operations() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let told: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(words, _)| words)
        .collect();
    let all = addresses().into_iter().filter(|address| address.is_api);
    let routed: BTreeSet<_> = all
        .map(|address| format!("{} {}", address.method, address.path))
        .collect();
    assert_eq!(told, routed);
    assert!(told.len() > 30, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn every_operation_tells_what_it_does_takes_and_answers() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for address in addresses().into_iter().filter(|address| address.is_api) {
        let shown = format!("{} {}", address.method, address.path);
        let told = operation(&document, &address.method, &address.path);
        let name = told["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        let summary = told["summary"].as_str().expect("a summary");
        assert!(summary.ends_with('.') && summary.len() > 8, "{summary}");
        let responses = told["responses"].as_object().expect("responses");
        assert_eq!(responses.len(), 2, "{shown}: done, and why not");
        assert!(responses.contains_key("default"), "{shown}");
        for (status, response) in responses {
            assert!(response["description"].is_string(), "{shown} {status}");
            let schema = &response["content"]["application/json"]["schema"];
            validator(&document, schema);
        }
        let is_open = address.needs == Needs::Nothing;
        let security = told["security"].as_array().expect("security");
        assert_eq!(security.is_empty(), is_open, "{shown}");
        assert_eq!(
            told["requestBody"].is_object(),
            address.reads_json,
            "{shown}"
        );
        if address.reads_json {
            let content = &told["requestBody"]["content"];
            let body = validator(&document, &content["application/json"]["schema"]);
            assert!(!body.is_valid(&json!({ "no_such_field": 1 })), "{shown}");
        }
        let parameters = told["parameters"].as_array().expect("parameters");
        for part in address.path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            let is_it = |parameter: &&Value| parameter["name"] == name && parameter["in"] == "path";
            assert_eq!(
                parameters.iter().filter(is_it).count(),
                1,
                "{shown}: {name}"
            );
        }
        let has = |name: &str| {
            let is_it = |one: &&Value| one["name"] == name && one["in"] == "header";
            parameters.iter().any(|one| is_it(&one))
        };
        let is_change = address.method != Method::GET;
        assert_eq!(has("x-purser-request"), is_change, "{shown}");
        assert_eq!(has("x-purser-company"), !is_open, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_reference_of_the_document_leads_somewhere() {
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in &found {
        let pointer = reference
            .strip_prefix('#')
            .expect("a place in the document");
        let target = document.pointer(pointer);
        assert!(target.is_some_and(Value::is_object), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.expect("schemas") {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference), "nobody needs {name}");
        validator(&document, schema);
    }
}
