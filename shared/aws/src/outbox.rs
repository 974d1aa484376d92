//! Mails: one partition of those that wait, one of those that were sent.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Mail, MailId, Outbox, StoreError},
};

use crate::{
    body::{self, BODY},
    clock::rising,
    error::{unavailable, unreadable},
    item::{Item, find_number, get_text, keyed, number, text},
    keys::{self, SENT, SORT, TIME_TO_LIVE, UNSENT},
    records::{Cancelled, cancelled},
    store::{AwsStore, Question, key_of, pause},
};

/// The attribute that names the tenant of a mail.
const TENANT: &str = "tenant";
/// The attribute of the moment a mail was sent.
const SENT_AT: &str = "sent_at";
/// How long a sent mail can still be read, in seconds: 90 days.
const SENT_MAIL_KEPT: i64 = 90 * 86_400;

type SentMail = (MailId, Mail, Option<Timestamp>);

impl Outbox for AwsStore {
    async fn keep(&self, mail: Mail) -> Result<MailId, StoreError> {
        let id = rising();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(unsent(id, &mail)?));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(id)
    }

    async fn unsent(&self, limit: u32) -> Result<Vec<(MailId, Mail)>, StoreError> {
        let waiting = self.mails_of(UNSENT, limit, false).await?;
        Ok(waiting
            .into_iter()
            .map(|(id, mail, _)| (id, mail))
            .collect())
    }

    async fn sent(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        let key = keys::mail(UNSENT, id);
        let Some(mut item) = self.item(&key).await? else {
            return Ok(());
        };
        item.extend(keyed(&keys::mail(SENT, id)));
        item.insert(SENT_AT.to_owned(), number(at.as_microsecond()));
        let gone_at = at.as_second().saturating_add(SENT_MAIL_KEPT);
        item.insert(TIME_TO_LIVE.to_owned(), number(gone_at));
        let removal = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(keyed(&key)))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|error| unreadable(error.to_string()))?;
        let removal = TransactWriteItem::builder().delete(removal).build();
        let writes = vec![removal, self.write(item)?];
        for tries in 0.. {
            let transaction = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()));
            match transaction.send().await {
                Ok(_) => break,
                Err(error) => match cancelled(&error) {
                    // Somebody else has noted it.
                    Some(Cancelled::ByCondition(_)) => break,
                    Some(Cancelled::ByAnother) => pause(tries).await?,
                    None => return Err(unavailable(&error)),
                },
            }
        }
        Ok(())
    }

    async fn mails(&self, limit: u32) -> Result<Vec<SentMail>, StoreError> {
        let mut all = self.mails_of(UNSENT, limit, true).await?;
        all.extend(self.mails_of(SENT, limit, true).await?);
        all.sort_by_key(|(id, _, _)| std::cmp::Reverse(*id));
        all.truncate(limit as usize);
        Ok(all)
    }
}

impl AwsStore {
    async fn mails_of(
        &self,
        partition: &str,
        limit: u32,
        descending: bool,
    ) -> Result<Vec<SentMail>, StoreError> {
        let question = Question {
            descending,
            ..Question::of(partition.to_owned())
        };
        let found = self.query(question, limit as usize).await?;
        found.iter().map(decoded).collect()
    }

    /// Removes every mail of a tenant.
    pub(crate) async fn drop_mails(&self, tenant: &TenantId) -> Result<(), StoreError> {
        for partition in [UNSENT, SENT] {
            let all = self
                .query(Question::of(partition.to_owned()), usize::MAX)
                .await?;
            let of_tenant = all
                .iter()
                .filter(|item| get_text(item, TENANT).is_ok_and(|name| name == tenant.as_str()));
            let gone: Result<Vec<_>, _> = of_tenant.map(key_of).collect();
            self.remove(&gone?).await?;
        }
        Ok(())
    }
}

/// A mail that waits, as an item.
pub(crate) fn unsent(id: MailId, mail: &Mail) -> Result<Item, StoreError> {
    let content = serde_json::to_string(mail).map_err(|_| unreadable("a mail"))?;
    let mut item = keyed(&keys::mail(UNSENT, id));
    item.insert(BODY.to_owned(), body::attribute(&content));
    item.insert(TENANT.to_owned(), text(mail.tenant.as_str()));
    Ok(item)
}

fn decoded(item: &Item) -> Result<SentMail, StoreError> {
    let id = get_text(item, SORT)?
        .parse()
        .map_err(|_| unreadable("a mail's place"))?;
    let mail = serde_json::from_str(&body::read(item)?).map_err(|_| unreadable("a mail"))?;
    let sent_at = find_number(item, SENT_AT)?
        .map(Timestamp::from_microsecond)
        .transpose()
        .map_err(|_| unreadable("a moment"))?;
    Ok((id, mail, sent_at))
}
