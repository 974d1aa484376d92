//! What each role may do: exact actions on exact resources, as the table in `infra/README.md` says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::{FUNCTIONS, Template, rendered, resource_name, several, text};

/// The names of schedules and of log streams are made while the stack runs; nothing else is open.
const OPEN_RESOURCES: [&str; 1] =
    ["arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${Runs}/*"];
const TABLE: &str =
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}";

/// One action on one resource, with the conditions under which it is allowed.
struct Grant {
    action: String,
    resource: String,
    condition: Value,
}

/// The statements of a policy; those that stand there under a condition of the stack, too.
fn statements(policy: &Value) -> Vec<&Value> {
    let statements = policy["Statement"].as_array().expect("statements").iter();
    statements
        .map(|statement| match &statement["Fn::If"] {
            Value::Null => statement,
            branches => &branches[1],
        })
        .collect()
}

fn grants(template: &Template, role: &str) -> Vec<Grant> {
    let policies = template.properties(role)["Policies"].as_array();
    let mut grants = Vec::new();
    for policy in policies.expect("policies") {
        for statement in statements(&policy["PolicyDocument"]) {
            assert_eq!(statement["Effect"], "Allow", "{role}");
            for action in several(&statement["Action"]) {
                for resource in several(&statement["Resource"]) {
                    grants.push(Grant {
                        action: action.clone(),
                        resource,
                        condition: statement["Condition"].clone(),
                    });
                }
            }
        }
    }
    assert!(!grants.is_empty(), "{role} may do nothing");
    grants
}

fn roles(template: &Template) -> Vec<&str> {
    let roles = template.all("AWS::IAM::Role").into_iter();
    roles.map(|(name, _)| name).collect()
}

#[test]
fn no_role_is_open_to_all_actions_or_all_resources() {
    let template = Template::application();
    let mut open = BTreeSet::new();
    for role in roles(&template) {
        let properties = template.properties(role);
        assert!(properties["ManagedPolicyArns"].is_null(), "{role}");
        for grant in grants(&template, role) {
            assert!(
                !grant.action.contains(['*', '?']),
                "{role}: {}",
                grant.action
            );
            assert!(grant.action.split(':').count() == 2, "{}", grant.action);
            if grant.resource.contains(['*', '?']) {
                open.insert(grant.resource);
            }
        }
    }
    assert_eq!(open, OPEN_RESOURCES.map(str::to_owned).into());
    let runbook = text("infra/README.md");
    for resource in ["`schedule/<stack>-runs/*`", "`log-group:<group>:*`"] {
        assert!(
            runbook.contains(resource),
            "the runbook explains {resource}"
        );
    }
}

#[test]
fn each_function_has_a_role_of_its_own_and_nobody_else_may_take_it() {
    let template = Template::application();
    let mut known: BTreeSet<_> = FUNCTIONS
        .into_iter()
        .map(|name| format!("{}Role", resource_name(name)))
        .collect();
    for name in FUNCTIONS {
        let role = format!("{}Role", resource_name(name));
        assert_eq!(trusted(&template, &role), "lambda.amazonaws.com");
    }
    for (role, group) in [("ScheduleRole", "Runs"), ("RecurringRole", "Recurring")] {
        assert_eq!(trusted(&template, role), "scheduler.amazonaws.com");
        let trust = &template.properties(role)["AssumeRolePolicyDocument"];
        let condition = &trust["Statement"][0]["Condition"]["StringEquals"];
        let source = rendered(&condition["aws:SourceArn"]);
        assert_eq!(source, format!("${{{group}.Arn}}"));
        known.insert(role.to_owned());
    }
    let there: BTreeSet<_> = roles(&template).into_iter().map(str::to_owned).collect();
    assert_eq!(there, known);
}

fn trusted(template: &Template, role: &str) -> String {
    let trust = &template.properties(role)["AssumeRolePolicyDocument"];
    let statements = statements(trust);
    assert_eq!(statements.len(), 1, "{role}");
    assert_eq!(statements[0]["Action"], "sts:AssumeRole", "{role}");
    rendered(&statements[0]["Principal"]["Service"])
}

#[test]
fn schedules_may_start_runs_and_sweeps_and_nothing_else() {
    let template = Template::application();
    let named = |name: &str| {
        format!(
            "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:\
             ${{AWS::StackName}}-{name}"
        )
    };
    for (role, function) in [
        ("ScheduleRole", named("scanner")),
        ("RecurringRole", "${Sweeper.Arn}".to_owned()),
    ] {
        let grants = grants(&template, role);
        assert_eq!(grants.len(), 1, "{role}");
        assert_eq!(grants[0].action, "lambda:InvokeFunction");
        assert_eq!(grants[0].resource, function);
    }
    let told = &template.function("worker")["Environment"]["Variables"]["PURSER_SCANNER_ARN"];
    assert_eq!(rendered(told), named("scanner"));
}

#[test]
fn the_scanner_opens_only_the_autotask_key_and_three_functions_open_none() {
    let template = Template::application();
    let secrets = |name: &str| cells(&template, name).remove("Secrets").unwrap_or_default();
    assert_eq!(
        secrets("scanner"),
        BTreeSet::from(["autotask-key".to_owned()])
    );
    for name in ["logs", "retry", "sync-one"] {
        assert!(secrets(name).is_empty(), "{name}");
    }
    for name in FUNCTIONS {
        // Whoever is told of a secret may open it, and whoever may open it is told.
        let variables = &template.function(name)["Environment"]["Variables"];
        let variables = variables.as_object().expect("variables").iter();
        let told: BTreeSet<_> = variables
            .filter(|(variable, _)| variable.ends_with("_SECRET"))
            .map(|(_, value)| secret(&rendered(value)))
            .collect();
        assert_eq!(secrets(name), told, "{name}");
    }
}

fn secret(resource: &str) -> String {
    let name = resource.strip_prefix("import ${Foundation}-");
    name.unwrap_or_else(|| panic!("{resource} is no secret"))
        .to_owned()
}

/// The columns of the table.
const COLUMNS: [&str; 6] = ["Table", "Indexes", "Secrets", "Queues", "Schedules", "Mail"];

/// What a function may do, by column. Whatever fits no column fails.
fn cells(template: &Template, function: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let role = format!("{}Role", resource_name(function));
    let mut cells: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let mut has_log = 0;
    for grant in grants(template, &role) {
        let (service, verb) = grant.action.split_once(':').expect("an action");
        let resource = grant.resource.as_str();
        let index = resource.strip_prefix(&format!("{TABLE}/index/"));
        let (column, cell) = match (service, verb) {
            ("logs", "CreateLogStream" | "PutLogEvents") => {
                assert_eq!(resource, format!("${{{}Log.Arn}}", resource_name(function)));
                has_log += 1;
                continue;
            }
            ("dynamodb", _) if resource == TABLE => ("Table", verb.to_owned()),
            ("dynamodb", "Query") => ("Indexes", index.expect("an index").to_owned()),
            ("secretsmanager", "GetSecretValue") => ("Secrets", secret(resource)),
            ("sqs", _) => match resource {
                "${WorkQueue.Arn}" => ("Queues", format!("work: {verb}")),
                "${DeadLetterQueue.Arn}" => ("Queues", format!("dead letters: {verb}")),
                other => panic!("{function} may {verb} on {other}"),
            },
            ("scheduler", _) if OPEN_RESOURCES.contains(&resource) => {
                ("Schedules", verb.to_owned())
            }
            ("iam", "PassRole") => {
                assert_eq!(resource, "${ScheduleRole.Arn}");
                let to = &grant.condition["StringEquals"]["iam:PassedToService"];
                assert_eq!(to, "scheduler.amazonaws.com");
                ("Schedules", verb.to_owned())
            }
            ("ses", "SendEmail") => {
                assert!(resource.ends_with(":identity/${Identity}"), "{resource}");
                let from = &grant.condition["StringEquals"]["ses:FromAddress"];
                assert_eq!(rendered(from), "${MailFrom}");
                ("Mail", verb.to_owned())
            }
            _ => panic!("{function} may {} on {resource}", grant.action),
        };
        assert!(
            cells.entry(column).or_default().insert(cell),
            "{function}: twice"
        );
    }
    assert_eq!(has_log, 2, "{function} writes its log");
    cells
}

#[test]
fn the_roles_are_those_of_the_written_table() {
    let template = Template::application();
    let runbook = text("infra/README.md");
    let mut wanted = vec![format!("| Function | {} |", COLUMNS.join(" | "))];
    wanted.push(format!("|{}", "---|".repeat(COLUMNS.len() + 1)));
    for function in FUNCTIONS {
        let cells = cells(&template, function);
        let row = COLUMNS.map(|column| {
            let cell = cells.get(column).into_iter().flatten();
            cell.map(|cell| format!("`{cell}`"))
                .collect::<Vec<_>>()
                .join(" ")
        });
        wanted.push(format!("| {function} | {} |", row.join(" | ")));
    }
    let rows = runbook.lines().skip_while(|line| *line != wanted[0]);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(
        rows,
        wanted,
        "write the table like this:\n{}",
        wanted.join("\n")
    );
}
