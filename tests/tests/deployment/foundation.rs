//! The table of the foundation is the one that the code expects, and it outlives everything.

use serde_json::Value;

use crate::template::{Template, several, text};

/// The value of a constant text in a source, or of a list of them.
fn constants(path: &str, name: &str) -> Vec<String> {
    let source = text(path);
    let start = format!("const {name}: ");
    let at = source
        .find(&start)
        .unwrap_or_else(|| panic!("{path} has no {name}"));
    let rest = &source[at..];
    let value = &rest[rest.find('=').expect("a value")..];
    let value = &value[..value.find(';').expect("an end")];
    let texts = value.split('"').skip(1).step_by(2).map(str::to_owned);
    texts.collect()
}

fn constant(name: &str) -> String {
    let mut values = constants("shared/aws/src/keys.rs", name);
    assert_eq!(values.len(), 1, "{name}");
    values.remove(0)
}

fn keys(schema: &Value) -> Vec<(&str, &str)> {
    let keys = schema.as_array().expect("keys").iter();
    keys.map(|key| {
        let text = |name: &str| key[name].as_str().expect("a text");
        (text("AttributeName"), text("KeyType"))
    })
    .collect()
}

#[test]
fn the_table_has_the_keys_and_indexes_that_the_code_names() {
    let foundation = Template::read("infra/foundation.yaml");
    let table = foundation.properties("Table");
    let (partition, sort) = (constant("PARTITION"), constant("SORT"));
    let with = |sort: &str| vec![(partition.clone(), "HASH"), (sort.to_owned(), "RANGE")];
    let owned = |schema: &Value| -> Vec<(String, &str)> {
        let kinds = |kind: &str| if kind == "HASH" { "HASH" } else { "RANGE" };
        let keys = keys(schema).into_iter();
        keys.map(|(name, kind)| (name.to_owned(), kinds(kind)))
            .collect()
    };
    assert_eq!(owned(&table["KeySchema"]), with(&sort));
    let indexes = table["LocalSecondaryIndexes"].as_array().expect("indexes");
    assert_eq!(indexes.len(), 3);
    let listed = constants("shared/aws/src/records.rs", "LISTED");
    assert!(listed.len() > 3, "{listed:?}");
    for (index, (name, sort, included)) in indexes.iter().zip([
        ("CHANGED_INDEX", "CHANGED", Some(listed)),
        ("DUE_INDEX", "DUE", None),
        ("OPEN_INDEX", "OPEN", None),
    ]) {
        assert_eq!(index["IndexName"], constant(name));
        assert_eq!(owned(&index["KeySchema"]), with(&constant(sort)));
        let projection = &index["Projection"];
        match included {
            Some(names) => {
                assert_eq!(projection["ProjectionType"], "INCLUDE");
                assert_eq!(projection["NonKeyAttributes"], Value::from(names));
            }
            None => assert_eq!(projection["ProjectionType"], "KEYS_ONLY"),
        }
    }
    let attributes = table["AttributeDefinitions"]
        .as_array()
        .expect("attributes");
    for attribute in attributes {
        assert_eq!(attribute["AttributeType"], "S");
    }
    let expiry = &table["TimeToLiveSpecification"];
    assert_eq!(expiry["AttributeName"], constant("TIME_TO_LIVE"));
    assert_eq!(expiry["Enabled"], true);
}

#[test]
fn whatever_happens_to_the_stacks_the_table_and_the_secrets_stay() {
    let foundation = Template::read("infra/foundation.yaml");
    for name in ["Table", "IntuitKey", "AutotaskKey", "IntuitApp"] {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            let stays = foundation.at(&format!("/Resources/{name}/{policy}"));
            assert_eq!(stays, "Retain", "{name}: {policy}");
        }
    }
    let table = foundation.properties("Table");
    assert_eq!(table["DeletionProtectionEnabled"], true);
    let restore = &table["PointInTimeRecoverySpecification"];
    assert_eq!(restore["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
}

#[test]
fn no_update_of_the_foundation_can_make_a_new_key_or_a_new_table() {
    let policy: Value = serde_json::from_str(&text("infra/foundation-policy.json")).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let denied = |action: &str, name: &str| {
        let resource = format!("LogicalResourceId/{name}");
        statements.iter().any(|statement| {
            let named = several(&statement["Resource"]).contains(&resource);
            let acts = several(&statement["Action"]);
            let covers = acts.iter().any(|it| it == action || it == "Update:*");
            statement["Effect"] == "Deny" && named && covers
        })
    };
    for secret in ["IntuitKey", "AutotaskKey", "IntuitApp"] {
        for action in ["Update:Modify", "Update:Replace", "Update:Delete"] {
            assert!(denied(action, secret), "{action} of {secret}");
        }
    }
    assert!(denied("Update:Replace", "Table") && denied("Update:Delete", "Table"));
    let foundation = Template::read("infra/foundation.yaml");
    let secrets = foundation.all("AWS::SecretsManager::Secret");
    assert_eq!(secrets.len(), 3, "a secret that the policy does not know");
}

#[test]
fn a_master_key_is_made_of_64_small_hexadecimal_digits() {
    let foundation = Template::read("infra/foundation.yaml");
    for name in ["IntuitKey", "AutotaskKey"] {
        let made = &foundation.properties(name)["GenerateSecretString"];
        let template = made["SecretStringTemplate"].as_str().expect("a template");
        let template: Value = serde_json::from_str(template).expect("JSON");
        let version = made["GenerateStringKey"].as_str().expect("a version");
        assert_eq!(template["current"], version);
        assert_eq!(made["PasswordLength"], 64);
        let excluded = made["ExcludeCharacters"].as_str().expect("characters");
        for character in ('!'..='~').filter(|it| !excluded.contains(*it)) {
            let is_digit = character.is_ascii_digit() || ('a'..='f').contains(&character);
            assert!(is_digit, "{name} may hold {character}");
        }
        let left = ('!'..='~').filter(|it| !excluded.contains(*it)).count();
        assert_eq!(left, 16, "{name}");
    }
}
