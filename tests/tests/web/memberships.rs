//! Becoming a member and ceasing to be one: nobody joins unasked, and a company keeps an admin.

use http::{Method, StatusCode};
use purser_simulators::intuit::Role;
use purser_tests::{
    stage::Stage,
    visitor::{Site, Visitor},
};
use serde_json::{Value, json};

use crate::support::is_in;

const MATE: &str = "mate@north-wind.example";
const ACCEPT: &str = "/companies/invitations/accept";
const DECLINE: &str = "/companies/invitations/decline";

/// A stage whose admin has invited somebody, who has signed in and done nothing yet.
async fn invited(role: &str) -> (Stage, Visitor, Visitor) {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    stage.add_person(MATE, Role::User);
    let fields = [("email", MATE), ("role", role)];
    let invited = owner.submit("/people", &fields).await;
    let _invited = invited.expect_to("/people?done=invited");
    let mut mate = site.visitor();
    let _companies = mate.sign_in(MATE).await.expect_to("/companies");
    (stage, owner, mate)
}

fn people<'p>(people: &'p Value, part: &str) -> Vec<&'p str> {
    let all = people[part].as_array().expect("people").iter();
    all.map(|one| one["email"].as_str().expect("an address"))
        .collect()
}

/// The name of a person in addresses.
async fn person(visitor: &mut Visitor, email: &str) -> String {
    let people = visitor.read("/people").await;
    let members = people["members"].as_array().expect("members");
    let found = members.iter().find(|member| member["email"] == email);
    let person = found.expect("a member")["person"].as_str();
    person.expect("a name").to_owned()
}

#[tokio::test(start_paused = true)]
async fn signing_in_accepts_no_invitation_and_shows_who_invites() {
    let (stage, mut owner, mut mate) = invited("viewer").await;
    let told = owner.read("/people").await;
    assert_eq!(people(&told, "members"), [Site::OWNER]);
    assert_eq!(people(&told, "invitations"), [MATE]);
    assert!(mate.read("/me").await.get("tenant").is_none());
    let refused = mate.call(Method::GET, "/home", None).await;
    let _refused = refused.expect(StatusCode::CONFLICT);
    let name = told_name(&mut owner).await;
    let page = mate.get("/companies").await;
    let words = format!("{} invites you to {name} as viewer.", Site::OWNER);
    let _page = page.shows(&words).shows("Accept").shows("Decline");
    let told = mate.read("/companies").await;
    let invitation = &told["invitations"][0];
    assert_eq!(invitation["tenant"], stage.tenant.as_str());
    assert_eq!(invitation["invited_by"], Site::OWNER);
    let set_up = mate.get("/set-up").await;
    let _set_up = set_up.shows("1 invitation waits for you.");
    mate.accept(stage.tenant.as_str()).await;
    let me = mate.read("/me").await;
    assert_eq!(
        (&me["tenant"], &me["role"]),
        (&json!("north-wind"), &json!("viewer"))
    );
    let _home = mate.sign_in(MATE).await.expect_to("/home");
}

/// The company's name as its admin sees it.
async fn told_name(owner: &mut Visitor) -> String {
    let companies = owner.read("/companies").await;
    let name = companies["companies"][0]["name"].as_str();
    name.expect("a name").to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_invitation_of_strangers_draws_nobody_into_their_company() {
    let stage = Stage::new().await;
    let (site, mut owner) = stage.with_owner().await;
    let south = stage.add_company("9130350000000777", "South Harbor", "api@south.example");
    let sue = "sue@south.example";
    let fields = [("email", sue), ("role", "admin")];
    let invited = owner.submit("/people", &fields).await;
    let _invited = invited.expect_to("/people?done=invited");
    // She sets up her own company as if nobody had invited her.
    south.admit(&stage, sue, Role::Admin);
    let mut visitor = site.visitor();
    let _companies = visitor.sign_in(sue).await.expect_to("/companies");
    let connected = visitor.connect(sue, &south.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    let entered = south.enter_credentials(&mut visitor).await;
    let _done = entered.expect_to("/set-up?done=autotask");
    let me = visitor.read("/me").await;
    assert_ne!(me["tenant"], stage.tenant.as_str());
    let told = owner.read("/people").await;
    assert_eq!(people(&told, "members"), [Site::OWNER]);
    let set_up = visitor.get("/set-up").await;
    let _set_up = set_up
        .shows("1 invitation waits for you.")
        .shows("/companies");
}

#[tokio::test(start_paused = true)]
async fn an_invitation_that_is_declined_or_withdrawn_grants_nothing() {
    for is_withdrawn in [false, true] {
        let (stage, mut owner, mut mate) = invited("admin").await;
        let tenant = [("tenant", stage.tenant.as_str())];
        if is_withdrawn {
            let form = [("email", MATE)];
            let withdrawn = owner.submit("/people/invitations/withdraw", &form);
            let _done = withdrawn.await.expect_to("/people?done=withdrawn");
        } else {
            let declined = mate.submit(DECLINE, &tenant).await;
            let _done = declined.expect_to("/companies?done=declined");
        }
        for path in [ACCEPT, DECLINE] {
            let gone = mate.submit(path, &tenant).await;
            let _gone = gone.expect(StatusCode::NOT_FOUND);
        }
        assert!(mate.read("/me").await.get("tenant").is_none());
        let told = owner.read("/people").await;
        assert_eq!(people(&told, "members"), [Site::OWNER]);
        assert!(people(&told, "invitations").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn of_accepting_and_withdrawing_at_once_one_counts() {
    let (stage, mut owner, mut mate) = invited("admin").await;
    owner.form_secret().await;
    mate.form_secret().await;
    let (tenant, form) = ([("tenant", stage.tenant.as_str())], [("email", MATE)]);
    let (accepted, withdrawn) = tokio::join!(
        mate.submit(ACCEPT, &tenant),
        owner.submit("/people/invitations/withdraw", &form)
    );
    let is_in = accepted.status == StatusCode::SEE_OTHER;
    assert_ne!(is_in, withdrawn.status == StatusCode::SEE_OTHER);
    let told = owner.read("/people").await;
    assert_eq!(people(&told, "members").contains(&MATE), is_in);
}

#[tokio::test(start_paused = true)]
async fn an_invitation_counts_only_for_its_address_and_never_takes_a_right_away() {
    let (stage, mut owner, mut mate) = invited("viewer").await;
    let mallory = crate::support::MALLORY;
    stage.add_person(mallory, Role::User);
    let mut other = owner.site.visitor();
    let _set_up = other.sign_in(mallory).await.expect_to("/set-up");
    let tenant = [("tenant", stage.tenant.as_str())];
    let refused = other.submit(ACCEPT, &tenant).await;
    let _refused = refused.expect(StatusCode::NOT_FOUND);
    mate.accept(stage.tenant.as_str()).await;
    let path = format!("/people/{}/role", person(&mut owner, MATE).await);
    owner.submit(&path, &[("role", "admin")]).await;
    let again = [("email", MATE), ("role", "viewer")];
    owner.submit("/people", &again).await;
    mate.accept(stage.tenant.as_str()).await;
    assert_eq!(mate.read("/me").await["role"], "admin");
}

#[tokio::test(start_paused = true)]
async fn a_member_leaves_and_the_last_admin_stays() {
    let (stage, mut owner, mut mate) = invited("viewer").await;
    mate.accept(stage.tenant.as_str()).await;
    let tenant = [("tenant", stage.tenant.as_str())];
    let kept = owner.submit("/companies/leave", &tenant).await;
    let kept = kept.expect(StatusCode::CONFLICT);
    let _kept = kept.shows("This is the only admin of the company.");
    let left = mate.submit("/companies/leave", &tenant).await;
    let _left = left.expect_to("/companies?done=left");
    assert!(is_in(&mut mate).await);
    assert!(mate.read("/me").await.get("tenant").is_none());
    let again = mate.submit("/companies/leave", &tenant).await;
    let _again = again.expect(StatusCode::NOT_FOUND);
    let told = owner.read("/people").await;
    assert_eq!(people(&told, "members"), [Site::OWNER]);
}

/// What two admins do to each other, or to themselves, at the same moment.
#[tokio::test(start_paused = true)]
async fn of_two_admins_who_act_at_once_one_stays_an_admin() {
    for (what, fields) in [("role", vec![("role", "viewer")]), ("remove", vec![])] {
        for is_self in [false, true] {
            let (stage, mut owner, mut mate) = invited("admin").await;
            mate.accept(stage.tenant.as_str()).await;
            let theirs = person(&mut owner, MATE).await;
            let own = person(&mut owner, Site::OWNER).await;
            let [one, other] = match is_self {
                true => [&own, &theirs],
                false => [&theirs, &own],
            };
            let [one, other] = [one, other].map(|name| format!("/people/{name}/{what}"));
            owner.form_secret().await;
            mate.form_secret().await;
            let (mut owner_too, mut mate_too) = (owner.clone(), mate.clone());
            let (one, other) = tokio::join!(
                owner_too.submit(&one, &fields),
                mate_too.submit(&other, &fields)
            );
            let mut admins = 0;
            for visitor in [&mut owner, &mut mate] {
                let me = visitor.read("/me").await;
                admins += u32::from(me["role"] == "admin");
            }
            let shown = format!("{what} {is_self}: {one:?} {other:?}");
            assert!(admins >= 1, "{shown}");
            let is_conflict = [&one, &other]
                .iter()
                .any(|reply| reply.status != StatusCode::SEE_OTHER);
            assert!(is_conflict, "{shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_admin_who_is_removed_while_at_intuit_does_not_come_back_as_one() {
    let (stage, company, mut owner) = crate::support::newcomer().await;
    // A company that is known and has not connected QuickBooks yet.
    let tenant = "no-books-yet".parse().expect("a tenant");
    let links = purser_web::admin_links(&*stage.store, &[tenant], stage.now()).await;
    let (tenant, link) = links.expect("the store").remove(0);
    let became = owner.submit(&format!("/link/{link}"), &[]).await;
    let _became = became.expect_to("/home?done=admin");
    company.admit(&stage, MATE, Role::Admin);
    let fields = [("email", MATE), ("role", "admin")];
    owner.submit("/people", &fields).await;
    let mut mate = owner.site.visitor();
    let _companies = mate.sign_in(MATE).await.expect_to("/companies");
    mate.accept(tenant.as_str()).await;
    let begun = mate.submit("/connection/quickbooks", &[]).await;
    let realm = Some(company.realm.as_str());
    let to = mate.consent(begun.location(), MATE, realm).await;
    let path = format!("/people/{}/remove", person(&mut owner, MATE).await);
    let removed = owner.submit(&path, &[]).await;
    let _removed = removed.expect_to("/people?done=removed");
    let _set_up = mate.come_back(&to).await.expect_to("/set-up");
    assert_eq!(crate::support::problem(&mut mate).await, "role.missing");
    let told = owner.read("/people").await;
    assert_eq!(people(&told, "members"), [Site::OWNER]);
    // Who still is an admin connects that very company.
    let connected = owner.connect(Site::OWNER, &company.realm, false).await;
    let _done = connected.expect_to("/set-up?done=quickbooks");
    assert_eq!(owner.read("/me").await["tenant"], tenant.as_str());
}
