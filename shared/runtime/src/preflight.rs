//! The preflight: everything that could go wrong later, looked at now, each with its remedy.

use purser_core::{
    books::Books,
    currency::CurrencyCase,
    failure::Failure,
    ids::TenantId,
    notice::{Code, Notice},
    ports::{Autotask, AutotaskReport, Lane, Outside},
    settings::Settings,
    text::match_key,
    usecase::{Engine, Ports},
};
use serde::Serialize;

/// How one finding came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Must be put right first.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The stable code, when it is one of the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

fn good(check: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        check,
        level: Level::Good,
        text: text.into(),
        remedy: None,
        code: None,
    }
}

fn note(check: &'static str, text: impl Into<String>, remedy: &str) -> Finding {
    let remedy = Some(remedy.to_owned());
    Finding {
        check,
        level: Level::Note,
        text: text.into(),
        remedy,
        code: None,
    }
}

fn bad(check: &'static str, notice: &Notice) -> Finding {
    Finding {
        check,
        level: Level::Bad,
        text: notice.cause(),
        remedy: Some(notice.remedy()),
        code: Some(notice.code.as_str().to_owned()),
    }
}

/// Looks at both connections of a tenant. When all is well, whatever stopped the tenant is cleared.
pub async fn check<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
) -> Result<Vec<Finding>, Failure> {
    let (findings, is_connected) = look(engine, tenant).await?;
    if is_connected && findings.iter().all(|finding| finding.level != Level::Bad) {
        clear(engine, tenant).await?;
    }
    Ok(findings)
}

/// Looks at both connections of a tenant and changes nothing; tells whether both could be read.
pub async fn look<P: Ports>(
    engine: &Engine<P>,
    tenant: &TenantId,
) -> Result<(Vec<Finding>, bool), Failure> {
    let settings = engine.settings(tenant).await?;
    let mut findings = Vec::new();
    let outside = engine.ports().outside();
    let autotask = match outside.autotask(tenant, Lane::Person).await {
        Ok(autotask) => check_autotask(&*autotask, settings.as_ref(), &mut findings).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &autotask {
        findings.push(bad("Autotask connection", &failure.notice));
    }
    let books = engine.whole_reference_data(tenant).await;
    match &books {
        Ok(books) => check_quickbooks(books, settings.as_ref(), &mut findings),
        Err(failure) => findings.push(bad("QuickBooks connection", &failure.notice)),
    }
    if let (Ok(table), Ok(books)) = (&autotask, &books) {
        findings.push(currencies(table, books));
    }
    findings.push(note(
        "Other apps",
        "Another app that turns the same purchase orders into QuickBooks records would compete \
         with Purser for External PO Number.",
        "Switch the purchase order sync of Autotask's Smart Accounting Hub off for these orders.",
    ));
    let is_connected = autotask.is_ok() && books.is_ok();
    Ok((findings, is_connected))
}

async fn clear<P: Ports>(engine: &Engine<P>, tenant: &TenantId) -> Result<(), Failure> {
    let clear = |status: &mut purser_core::tenant::TenantStatus| {
        let broken = status.autotask_broken.take().is_some();
        let broken = status.quickbooks_broken.take().is_some() || broken;
        status.trouble.take().is_some() || broken
    };
    engine.update_status(tenant, clear).await?;
    Ok(())
}

async fn check_autotask(
    autotask: &impl Autotask,
    settings: Option<&Settings>,
    findings: &mut Vec<Finding>,
) -> Result<purser_core::orders::CurrencyTable, Failure> {
    let report = autotask.report().await?;
    findings.push(good(
        "Autotask zone",
        format!("The API user works in {}.", report.zone_host),
    ));
    findings.push(good(
        "Autotask credentials",
        "Autotask accepts the API user.",
    ));
    findings.push(licence(&report));
    findings.push(permissions(&report));
    findings.extend(costs(&report));
    findings.extend(quota(&report));
    let statuses = autotask.statuses().await?;
    findings.push(status(&statuses, settings));
    autotask.currencies().await
}

fn licence(report: &AutotaskReport) -> Finding {
    let check = "API-only licence";
    match report.api_only {
        Some(true) => good(check, "The user is an API-only user."),
        Some(false) => note(
            check,
            "The user is not an API-only user, so its password can expire and stop the transfer.",
            "Use a user with the licence 'API User (system) (API-only)'.",
        ),
        None => note(
            check,
            "Whether the user is an API-only user cannot be seen.",
            "Make sure that it has the licence 'API User (system) (API-only)'.",
        ),
    }
}

fn permissions(report: &AutotaskReport) -> Finding {
    let check = "Inventory permission";
    if report.may_read_orders && report.may_write_orders && report.may_read_lines {
        return good(check, "Purchase orders and lines may be read and written.");
    }
    let missing = match (report.may_read_orders, report.may_read_lines) {
        (false, _) => "purchase orders may not be read",
        (true, false) => "purchase order lines may not be read",
        (true, true) => "purchase orders may not be changed",
    };
    bad(
        check,
        &Notice::new(Code::AutotaskPermission).with("detail", missing),
    )
}

fn costs(report: &AutotaskReport) -> Option<Finding> {
    let check = "Costs";
    Some(if report.costs_readable? {
        good(check, "Costs can be read.")
    } else {
        bad(check, &Notice::new(Code::CostsUnreadable))
    })
}

fn quota(report: &AutotaskReport) -> Option<Finding> {
    let quota = report.quota?;
    let text = format!(
        "{} of {} calls were used in the last {} minutes, by all programs together.",
        quota.used, quota.limit, quota.window_minutes
    );
    let check = "Autotask calls";
    Some(if u64::from(quota.used) * 2 > u64::from(quota.limit) {
        note(
            check,
            text,
            "Autotask slows every call down; find out which program calls so often.",
        )
    } else {
        good(check, text)
    })
}

fn status(statuses: &[purser_core::orders::PickListValue], settings: Option<&Settings>) -> Finding {
    let check = "Submitted status";
    if let Some(chosen) = settings.and_then(|settings| settings.submitted_status.as_ref()) {
        return good(
            check,
            format!("Settings choose the status {}.", chosen.label),
        );
    }
    let key = match_key("Submitted");
    if statuses
        .iter()
        .any(|status| status.active && match_key(&status.label) == key)
    {
        return good(check, "Autotask has the status Submitted.");
    }
    bad(check, &Notice::new(Code::StatusUnknown))
}

fn check_quickbooks(books: &Books, settings: Option<&Settings>, findings: &mut Vec<Finding>) {
    let company = books.company();
    findings.push(good(
        "QuickBooks company",
        format!("Connected to the company \"{}\".", company.name),
    ));
    findings.push(plan(company.plan.as_deref()));
    let Some(settings) = settings else {
        let notice = Notice::new(Code::SettingsMissing);
        findings.push(bad("Settings", &notice));
        return;
    };
    let payable = ("Accounts payable account", "accounts payable account");
    findings.push(account(books, &settings.payable_account.id, payable));
    if let Some(id) = settings.creation_account() {
        findings.push(account(books, id, ("Expense account", "expense account")));
    }
}

fn account(
    books: &Books,
    id: &purser_core::ids::AccountId,
    (check, field): (&'static str, &str),
) -> Finding {
    match books.account(id).filter(|account| account.active) {
        Some(account) => good(check, format!("{} is active.", account.name)),
        None => bad(
            check,
            &Notice::new(Code::AccountUnusable).with("field", field),
        ),
    }
}

fn plan(plan: Option<&str>) -> Finding {
    let check = "QuickBooks plan";
    let Some(plan) = plan else {
        return note(
            check,
            "The plan of the company is not told.",
            "Purser is made for QuickBooks Online Plus and Advanced.",
        );
    };
    let lower = plan.to_ascii_lowercase();
    if ["plus", "advanced", "accountant"]
        .iter()
        .any(|name| lower.contains(name))
    {
        return good(check, format!("The plan is {plan}."));
    }
    note(
        check,
        format!("The plan is {plan}."),
        "Purser is made for QuickBooks Online Plus and Advanced; smaller plans lack Items on bills.",
    )
}

fn currencies(table: &purser_core::orders::CurrencyTable, books: &Books) -> Finding {
    let check = "Currencies";
    let home = books.company().home_currency;
    match CurrencyCase::of(table, books) {
        Ok(CurrencyCase::BothOff) => good(check, format!("Both sides use {home} only.")),
        Ok(CurrencyCase::QuickBooksOnly) => {
            good(check, format!("Amounts are booked in {home} at rate 1."))
        }
        Ok(CurrencyCase::BothOn) => good(check, "Multi-currency is on on both sides."),
        Err(notice) => bad(check, &notice),
    }
}
