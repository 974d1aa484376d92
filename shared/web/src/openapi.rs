//! The `OpenAPI` 3.1 document, made from the very table that requests are routed by.

use std::sync::OnceLock;

use bytes::Bytes;
use http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    answer::Answer,
    call::API,
    guard::{COMPANY_HEADER, REQUEST_HEADER},
    routes::{ApiRoute, Operation, interface},
    view::ErrorView,
};

/// The document as an answer.
pub(crate) fn answer() -> Answer {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let body = DOCUMENT.get_or_init(|| {
        let text = serde_json::to_vec_pretty(&document()).unwrap_or_default();
        Bytes::from(text)
    });
    Answer::File {
        media_type: "application/json; charset=utf-8",
        name: None,
        body: body.clone(),
    }
}

/// What is written always has all of its fields; what is read may lack those with a default. So the
/// same type has one schema in answers and another in bodies.
struct Generators {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Generators {
    /// JSON Schema 2020-12 is the dialect of `OpenAPI` 3.1.
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let bodies = settings
            .clone()
            .with(|settings| settings.inline_subschemas = true);
        Self {
            answers: SchemaGenerator::new(settings.for_serialize()),
            bodies: SchemaGenerator::new(bodies.for_deserialize()),
        }
    }
}

/// The document.
pub fn document() -> Value {
    let mut generator = Generators::new();
    let error = generator.answers.subschema_for::<ErrorView>().to_value();
    let mut paths = Map::new();
    for route in interface() {
        let path = format!("{API}{}", route.path);
        let operation = operation(&route, &mut generator, &error);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = operation;
    }
    let schemas = Value::Object(generator.answers.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Purser",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Purchase orders of Autotask become bills in QuickBooks Online. \
                Sign in with a browser; programs send that session's cookie.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "purser-session",
                    "description": "The session's cookie; over https its name is \
                        __Host-purser-session." },
            },
        },
    })
}

fn operation(route: &ApiRoute, generator: &mut Generators, error: &Value) -> Value {
    let answer = (route.answer)(&mut generator.answers).to_value();
    let json_of = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": {
            route.status.to_string(): { "description": "Done.", "content": json_of(&answer) },
            "default": {
                "description": "Why it was not done: one sentence of cause, one of remedy.",
                "content": json_of(error),
            },
        },
    });
    operation["security"] = match route.operation {
        Operation::Open(_) => json!([]),
        Operation::Own(_) | Operation::Work(_) => json!([{ "session": [] }]),
    };
    if let Some(body) = route.body {
        let schema = body(&mut generator.bodies).to_value();
        operation["requestBody"] = json!({ "required": true, "content": json_of(&schema) });
    }
    operation
}

fn parameters(route: &ApiRoute) -> Value {
    let mut parameters = Vec::new();
    for part in route.path.split('/') {
        let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) else {
            continue;
        };
        let schema = match name {
            "order" => json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX }),
            _ => json!({ "type": "string", "minLength": 1, "maxLength": 80,
                "pattern": "^[A-Za-z0-9]+$" }),
        };
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    for (name, description, pattern) in route.query {
        let mut schema = json!({ "type": "string", "maxLength": 200 });
        if let Some(pattern) = pattern {
            schema["pattern"] = json!(pattern);
        }
        parameters.push(json!({ "name": name, "in": "query", "required": false,
            "description": description, "schema": schema }));
    }
    if route.method != Method::GET {
        parameters.push(
            json!({ "name": REQUEST_HEADER, "in": "header", "required": true,
            "description": "No page of another site can send it.",
            "schema": { "type": "string", "const": "1" } }),
        );
    }
    if !matches!(route.operation, Operation::Open(_)) {
        parameters.push(
            json!({ "name": COMPANY_HEADER, "in": "header", "required": false,
            "description": "The tenant that is meant; when the session looks at another one, the \
                answer is 409 and nothing is changed.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 80 } }),
        );
    }
    Value::Array(parameters)
}
