//! Mails: those that wait, and those that were sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Mail, MailId, Outbox, StoreError},
};

use super::{MemoryStore, stored};

type SentMail = (MailId, Mail, Option<Timestamp>);

#[derive(Default)]
pub(super) struct Mails {
    last: MailId,
    unsent: BTreeMap<MailId, Mail>,
    sent: BTreeMap<MailId, (Mail, Timestamp)>,
}

impl Mails {
    pub(super) fn keep(&mut self, mail: Mail) -> MailId {
        self.last += 1;
        self.unsent.insert(self.last, mail);
        self.last
    }

    fn note_sent(&mut self, id: MailId, at: Timestamp) {
        if let Some(mail) = self.unsent.remove(&id) {
            self.sent.insert(id, (mail, stored(at)));
        }
    }

    fn newest(&self, limit: usize) -> Vec<SentMail> {
        let unsent = self.unsent.iter().rev().take(limit);
        let unsent = unsent.map(|(id, mail)| (*id, mail.clone(), None));
        let sent = self.sent.iter().rev().take(limit);
        let sent = sent.map(|(id, (mail, at))| (*id, mail.clone(), Some(*at)));
        let mut all: Vec<SentMail> = unsent.chain(sent).collect();
        all.sort_by_key(|(id, _, _)| std::cmp::Reverse(*id));
        all.truncate(limit);
        all
    }

    pub(super) fn remove_tenant(&mut self, tenant: &TenantId) {
        self.unsent.retain(|_, mail| mail.tenant != *tenant);
        self.sent.retain(|_, (mail, _)| mail.tenant != *tenant);
    }
}

impl Outbox for MemoryStore {
    async fn keep(&self, mail: Mail) -> Result<MailId, StoreError> {
        Ok(self.tables().mails.keep(mail))
    }

    async fn unsent(&self, limit: u32) -> Result<Vec<(MailId, Mail)>, StoreError> {
        let tables = self.tables();
        let oldest = tables.mails.unsent.iter().take(limit as usize);
        Ok(oldest.map(|(id, mail)| (*id, mail.clone())).collect())
    }

    async fn sent(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.tables().mails.note_sent(id, at);
        Ok(())
    }

    async fn mails(&self, limit: u32) -> Result<Vec<SentMail>, StoreError> {
        Ok(self.tables().mails.newest(limit as usize))
    }
}
