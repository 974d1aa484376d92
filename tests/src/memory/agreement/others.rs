//! Calls about documents, entries, messages, mails and alarms.

use std::time::Duration;

use jiff::SignedDuration;
use purser_core::{
    ids::RunNumber,
    ports::{
        DocumentKind, Entry, EntryKey, EntryKind, Expected, Inbox, Lane, Ledger, Outbox, Put,
        Queue, Registry, Schedule,
    },
};

use super::{Caller, Ordering};
use crate::contract::sample::{mail, message};

impl<S: Ledger + Outbox + Queue + Inbox + Schedule + Registry> Caller<S> {
    /// What a caller expects who read something lately, or long ago, or never.
    fn expected(&mut self, of: &str) -> Expected<u64> {
        let seen = self.versions.get(of);
        match (self.dice.roll(6), seen.and_then(|seen| seen.last())) {
            (0, _) => Expected::Any,
            (1, _) | (_, None) => Expected::Absent,
            (2, Some(_)) => Expected::Is(self.dice.pick(&self.versions[of])),
            (_, Some(last)) => Expected::Is(*last),
        }
    }

    /// Versions are the store's own affair; whether something was written is not.
    fn saw(&mut self, of: &str, put: &Put) {
        if let Put::Done(version) = put {
            let seen = self.versions.entry(of.to_owned()).or_default();
            seen.push(*version);
        }
        self.note(of, matches!(put, Put::Done(_)));
    }

    pub(super) async fn document(&mut self) {
        let kind = self.dice.pick(&[DocumentKind::Runs, DocumentKind::Usage]);
        let tenant = self.tenant();
        let name = format!("document {tenant} {kind:?}");
        if self.dice.hits(5) {
            self.store.remove_document(&tenant, kind).await.unwrap();
        } else if self.dice.hits(2) {
            let expected = self.expected(&name);
            self.names += 1;
            let body = self.names.to_string();
            let put = self.store.put_document(&tenant, kind, body, expected).await;
            self.saw(&name, &put.unwrap());
        }
        let found = self.store.document(&tenant, kind).await.unwrap();
        self.note(&name, found.map(|stored| stored.value));
    }

    pub(super) async fn entry(&mut self) {
        let kinds = [EntryKind::Session, EntryKind::Member, EntryKind::Realm];
        let kind = self.dice.pick(&kinds);
        let group = self.dice.pick(&["a", "a b"]);
        let owner = self.dice.pick(&["", "grace", "sam"]);
        let key = EntryKey::new(kind, group, self.dice.pick(&["-", "x", "y"]));
        let now = self.now();
        let name = format!("{key:?}");
        if self.dice.hits(4) {
            let taken = self.store.take_entry(&key, now).await.unwrap();
            self.note("take", taken);
        } else {
            self.names += 1;
            let entry = Entry {
                key: key.clone(),
                owner: owner.to_owned(),
                body: self.names.to_string(),
                expires_at: self
                    .dice
                    .some(|dice| now + SignedDuration::from_secs(10 * dice.number(90))),
            };
            let expected = self.expected(&name);
            let put = self.store.put_entry(entry, expected, now).await.unwrap();
            self.saw(&name, &put);
        }
        let found = self.store.entry(&key, now).await.unwrap();
        self.note("entry", found.map(|(entry, _)| entry));
        let group = self.store.group(kind, group, 2, now).await.unwrap();
        self.note("group", group);
        let theirs = self.store.owned(kind, owner, now).await.unwrap();
        self.note("owned", theirs);
    }

    pub(super) async fn send(&mut self) {
        let mut messages = Vec::new();
        for _ in 0..=self.dice.roll(4) {
            let lane = self.dice.pick(&[Lane::Background, Lane::Person]);
            messages.push(message(&self.tenant(), lane, self.dice.roll(10)));
        }
        self.store.send(messages).await.unwrap();
    }

    pub(super) async fn receive(&mut self) {
        let hidden = Duration::from_secs(20 + 10 * self.dice.roll(10));
        let received = self.store.receive(hidden).await.unwrap();
        self.note(
            "receive",
            received.as_ref().map(|it| (&it.body, it.receives)),
        );
        self.receipts
            .extend(received.map(|delivery| delivery.receipt));
        if self.receipts.is_empty() || self.dice.hits(3) {
            return;
        }
        let index = self.dice.roll(self.receipts.len() as u64);
        let receipt = self.receipts.swap_remove(usize::try_from(index).unwrap());
        if self.dice.hits(3) {
            let delay = Duration::from_secs(10 * self.dice.roll(6));
            self.store.give_back(&receipt, delay).await.unwrap();
        } else {
            self.store.acknowledge(&receipt).await.unwrap();
        }
    }

    pub(super) async fn outbox(&mut self) {
        if self.dice.hits(3) {
            self.names += 1;
            let subject = self.names.to_string();
            let mail = mail(&self.tenant(), &subject);
            let kept = self.store.keep(mail).await;
            self.mails.push(kept.unwrap());
        }
        if !self.mails.is_empty() && self.dice.hits(2) {
            let id = self.dice.pick(&self.mails);
            self.store.sent(id, self.now()).await.unwrap();
        }
        let unsent = self.store.unsent(5).await.unwrap();
        self.mails.extend(unsent.iter().map(|(id, _)| *id));
        let unsent: Vec<_> = unsent.into_iter().map(|(_, mail)| mail).collect();
        self.note("unsent", unsent);
        let all = self.store.mails(5).await.unwrap().into_iter();
        let all: Vec<_> = all.map(|(_, mail, sent_at)| (mail, sent_at)).collect();
        self.note("mails", all);
    }

    pub(super) async fn pass_time(&mut self) {
        // Round numbers, so that what ends at a moment is asked for at that moment.
        let seconds = 10 * self.dice.number(10);
        self.clock.fetch_add(seconds, Ordering::SeqCst);
        let (tenant, run) = (self.tenant(), RunNumber(self.dice.roll(5)));
        if self.dice.hits(2) {
            let at = self.now();
            self.store.arm(&tenant, run, at).await.unwrap();
        }
        let armed = self.store.is_armed(&tenant, run).await.unwrap();
        self.note("armed", armed);
    }
}
