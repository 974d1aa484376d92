//! Reads the reference data of a realm: its set-up and its lists.

use jiff::Timestamp;
use purser_core::{
    books::{BooksContent, Company},
    failure::{Failure, FailureClass},
    money::Currency,
    notice::Code,
    ports::{Clock, GrantStore},
};
use serde::de::DeserializeOwned;

use crate::{
    call::{Call, Expected},
    client::{Known, QuickBooksClient},
    pages::Rows,
    query::Statement,
    wire::{
        self, AccountWire, CompanyInfoWire, CustomerWire, ItemWire, PreferencesWire, TaxCodeWire,
        TermWire, VendorWire,
    },
};

impl<C: Clock, G: GrantStore> QuickBooksClient<C, G> {
    /// Reads all reference data.
    ///
    /// Terms and tax codes are optional: when QuickBooks refuses to show them the rest still
    /// counts. When it merely fails, the whole reading fails and is repeated later.
    pub(crate) async fn read_books(&self) -> Result<BooksContent, Failure> {
        let (company, as_of) = self.read_company().await?;
        let is_multi = company.multi_currency;
        let vendors = Statement::all("Vendor", "DisplayName");
        let customers = Statement::all("Customer", "DisplayName");
        let items = Statement::all("Item", "Name");
        let accounts = Statement::all("Account", "Name");
        // All to their end: a renewal of the token that was left in the middle would lose the connection.
        let (vendors, customers, items, accounts, terms, tax_codes) = tokio::join!(
            Box::pin(self.rows(&vendors)),
            Box::pin(self.rows(&customers)),
            Box::pin(self.rows(&items)),
            Box::pin(self.rows(&accounts)),
            Box::pin(self.optional_rows("Term")),
            Box::pin(async {
                if company.is_us() {
                    Ok(Rows::default())
                } else {
                    self.optional_rows("TaxCode").await
                }
            }),
        );
        let (vendors, customers, items) = (vendors?, customers?, items?);
        let (accounts, terms, tax_codes) = (accounts?, terms?, tax_codes?);
        let to_vendor = |vendor: VendorWire| vendor.into_vendor(is_multi);
        Ok(BooksContent {
            vendors: convert(&vendors, to_vendor),
            customers: convert(&customers, CustomerWire::into_customer),
            items: convert(&items, ItemWire::into_item),
            accounts: convert(&accounts, AccountWire::into_account),
            terms: convert(&terms, TermWire::into_term),
            tax_codes: convert(&tax_codes, TaxCodeWire::into_tax_code),
            company,
            as_of,
        })
    }

    async fn read_company(&self) -> Result<(Company, Timestamp), Failure> {
        let started = self.sender.exchange.clock.now();
        let realm = self.sender.exchange.realm.as_str();
        let expected = Expected::Member(&["CompanyInfo", "QueryResponse"]);
        let answer = self
            .sender
            .call(&Call::get(&["companyinfo", realm], expected))
            .await?;
        let as_of = answer.server_time.unwrap_or(started);
        let info: CompanyInfoWire = wire::single(&answer.body, "CompanyInfo")
            .and_then(wire::read)
            .ok_or_else(|| Failure::new(Code::QuickBooksFailing))?;
        let expected = Expected::Member(&["Preferences", "QueryResponse"]);
        let answer = self
            .sender
            .call(&Call::get(&["preferences"], expected))
            .await?;
        let prefs: PreferencesWire = wire::single(&answer.body, "Preferences")
            .and_then(wire::read)
            .ok_or_else(|| Failure::new(Code::QuickBooksFailing))?;
        let company = company(info, &prefs).ok_or_else(|| Failure::new(Code::QuickBooksFailing))?;
        self.learn(Known {
            multi_currency: Some(company.multi_currency),
            book_close_date: company.book_close_date,
        });
        Ok((company, as_of))
    }

    async fn optional_rows(&self, entity: &'static str) -> Result<Rows, Failure> {
        match self.rows(&Statement::all(entity, "Name")).await {
            Err(failure) if is_definite_no(&failure) => {
                tracing::warn!(entity, failure.code = %failure, "QuickBooks does not show this list");
                Ok(Rows::default())
            }
            other => other,
        }
    }
}

/// Whether QuickBooks said no to this very request, rather than to the connection or for now.
pub(crate) fn is_definite_no(failure: &Failure) -> bool {
    matches!(
        failure.class(),
        FailureClass::Refuse | FailureClass::Bug | FailureClass::TenantTrouble
    )
}

/// Reads rows; one that has no id or name is left out and counted.
pub(crate) fn convert<W: DeserializeOwned, T>(rows: &Rows, to: impl Fn(W) -> Option<T>) -> Vec<T> {
    let records: Vec<T> = rows
        .rows
        .iter()
        .filter_map(|row| wire::read::<W>(row).and_then(&to))
        .collect();
    let left_out = rows.rows.len() - records.len();
    if left_out > 0 {
        tracing::warn!(left_out, "QuickBooks listed records without id or name");
    }
    records
}

fn company(info: CompanyInfoWire, prefs: &PreferencesWire) -> Option<Company> {
    let plan = info.plan();
    let country = info.country.unwrap_or_default();
    let home_currency = prefs.home_currency().or_else(|| usual_currency(&country))?;
    Some(Company {
        name: info.company_name.or(info.legal_name).unwrap_or_default(),
        home_currency,
        multi_currency: prefs.multi_currency(),
        time_zone: info.default_time_zone,
        book_close_date: prefs.book_close_date(),
        plan,
        tracks_customers: prefs.tracks_customers(),
        country,
    })
}

/// The currency of a company that does not name one. Countries come as two or three letters.
fn usual_currency(country: &str) -> Option<Currency> {
    let code = match country.trim().to_ascii_uppercase().as_str() {
        "US" | "USA" | "" => "USD",
        "CA" | "CAN" => "CAD",
        "GB" | "GBR" | "UK" => "GBP",
        "AU" | "AUS" => "AUD",
        "NZ" | "NZL" => "NZD",
        "IN" | "IND" => "INR",
        "ZA" | "ZAF" => "ZAR",
        "FR" | "FRA" | "DE" | "DEU" | "IE" | "IRL" | "NL" | "NLD" | "ES" | "ESP" | "IT" | "ITA" => {
            "EUR"
        }
        _ => return None,
    };
    code.parse().ok()
}
