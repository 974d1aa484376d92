//! Several tabs of one browser: a form acts on the company that it shows, or on none.

use http::{Method, StatusCode};
use purser_tests::{
    stage::Stage,
    visitor::{Company, Reply, Site, Visitor},
};
use serde_json::json;

use crate::addresses::{Names, ask_with, assert_refusal, changing, holdings, set};

/// A person with two companies, in two tabs: the first still shows the company of the stage, the
/// other one has switched to the second company.
struct Tabs {
    stage: Stage,
    old_tab: Visitor,
    new_tab: Visitor,
    second: Company,
    tenant: String,
}

async fn tabs() -> Tabs {
    let stage = Stage::new().await;
    let (_, mut owner) = stage.with_owner().await;
    let second = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    second.admit(&stage, Site::OWNER, purser_simulators::intuit::Role::Admin);
    owner.form_secret().await;
    let old_tab = owner.clone();
    let connected = owner.connect(Site::OWNER, &second.realm, true).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    let tenant = owner.read("/me").await["tenant"].clone();
    Tabs {
        tenant: tenant.as_str().expect("a tenant").to_owned(),
        stage,
        old_tab,
        new_tab: owner,
        second,
    }
}

#[track_caller]
fn assert_other(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::CONFLICT, "{reply:?}");
    for words in [
        "You look at another company now.",
        "Load the page again and check which company it shows.",
    ] {
        assert!(reply.body.contains(words), "{reply:?}");
    }
}

impl Tabs {
    async fn held(&self) -> String {
        let second = self.tenant.parse().expect("a tenant");
        let first = holdings(&self.stage, &self.stage.tenant, &self.stage.company()).await;
        first + &holdings(&self.stage, &second, &self.second).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_never_acts_on_another_company_than_it_shows() {
    let tabs = tabs().await;
    let before = tabs.held().await;
    let mut asked = 0;
    for address in changing().into_iter().filter(|address| !address.is_api) {
        let is_own = !matches!(address.needs, purser_web::Needs::Role(_));
        if is_own && address.path != "/connection/quickbooks" {
            continue;
        }
        let mut tab = tabs.old_tab.clone();
        let sent = (&Names::default(), "");
        let reply = ask_with(&tabs.stage, &mut tab, &address, sent).await;
        assert_other(&reply);
        asked += 1;
    }
    assert!(asked > 15, "{asked} forms");
    assert_eq!(tabs.held().await, before);
    // Once the page was loaded again, its forms work for the company that it shows then.
    let mut tab = tabs.old_tab.clone();
    tab.get("/home").await;
    let invited = [("email", "a@b.example"), ("role", "viewer")];
    let invited = tab.submit("/people", &invited).await;
    let _invited = invited.expect_to("/people?done=invited");
    let mut new_tab = tabs.new_tab.clone();
    let people = new_tab.read("/people").await;
    assert_eq!(people["invitations"][0]["email"], "a@b.example");
}

#[tokio::test(start_paused = true)]
async fn a_form_that_was_shown_before_a_company_was_connected_acts_on_none() {
    let (stage, company, mut visitor) = crate::support::newcomer().await;
    visitor.get("/set-up").await;
    let mut old_tab = visitor.clone();
    let connected = visitor.connect(Site::OWNER, &company.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    let before = crate::support::exchanges(&stage);
    assert_other(&old_tab.submit("/connection/quickbooks", &[]).await);
    assert_eq!(crate::support::exchanges(&stage), before);
}

#[tokio::test(start_paused = true)]
async fn what_names_its_own_aim_works_from_every_tab() {
    let tabs = tabs().await;
    let first = [("tenant", tabs.stage.tenant.as_str())];
    let chosen = tabs.old_tab.clone().submit("/companies", &first).await;
    let _chosen = chosen.expect_to("/home?done=company");
    let mut new_tab = tabs.new_tab.clone();
    assert_eq!(new_tab.read("/me").await["tenant"], first[0].1);
    let second = [("tenant", tabs.tenant.as_str())];
    let chosen = new_tab.submit("/companies", &second).await;
    let _chosen = chosen.expect_to("/home?done=company");
    let out = tabs.old_tab.clone().submit("/sign-out", &[]).await;
    let _out = out.expect_to("/sign-in?done=signed-out");
}

#[tokio::test(start_paused = true)]
async fn a_program_may_say_which_company_it_means() {
    let mut tabs = tabs().await;
    let first = tabs.stage.tenant.to_string();
    let before = tabs.held().await;
    let names = Names::default();
    for address in purser_web::addresses() {
        if !address.is_api || address.needs == purser_web::Needs::Nothing {
            continue;
        }
        for wrong in [first.as_str(), "", "nobodys-company"] {
            let body = if address.reads_json { "{}" } else { "" };
            let request = crate::addresses::proper(&mut tabs.new_tab, &address, &names, body);
            let mut request = request.await;
            set(&mut request, "x-purser-company", Some(wrong));
            let reply = tabs.new_tab.send(request).await;
            assert_refusal(&address, &reply, StatusCode::CONFLICT, "company.other");
        }
    }
    assert_eq!(tabs.held().await, before);
    let address = purser_web::addresses()
        .into_iter()
        .find(|address| address.is_api && address.path.ends_with("/me"));
    let address = address.expect("an address");
    let mut request = crate::addresses::proper(&mut tabs.new_tab, &address, &names, "").await;
    set(&mut request, "x-purser-company", Some(&tabs.tenant));
    let me = tabs.new_tab.send(request).await.expect(StatusCode::OK);
    assert_eq!(me.json()["tenant"], tabs.tenant);
    let body = json!({ "tenant": first });
    let chosen = tabs
        .new_tab
        .call(Method::POST, "/companies/current", Some(&body));
    let _chosen = chosen.await.expect(StatusCode::OK);
}
