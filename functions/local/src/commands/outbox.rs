//! `purser outbox`: e-mails that wait or are kept.

use jiff::Timestamp;
use purser_core::ports::{Mail, Outbox as _};
use serde::Serialize;

use crate::{
    exit::{Exit, ProgramError},
    output::Output,
    program::Program,
};

#[derive(Serialize)]
struct Kept {
    id: u64,
    #[serde(flatten)]
    mail: Mail,
    sent_at: Option<Timestamp>,
}

pub(super) async fn run(
    program: &Program,
    limit: u32,
    output: &Output,
) -> Result<Exit, ProgramError> {
    let mails = program.store.mails(limit).await?;
    let mails: Vec<_> = mails
        .into_iter()
        .map(|(id, mail, sent_at)| Kept { id, mail, sent_at })
        .collect();
    output.show(&mails, |mails| {
        if mails.is_empty() {
            return "The outbox is empty.".to_owned();
        }
        let mut text = String::new();
        for kept in mails {
            let state = match kept.sent_at {
                Some(at) => format!("sent {at:.0}"),
                None => "kept".to_owned(),
            };
            let mail = &kept.mail;
            text.push_str(&format!(
                "{} ({state}) to {}\n{}\n",
                kept.id, mail.to, mail.subject
            ));
            for line in mail.text.lines() {
                text.push_str(&format!("  {line}\n"));
            }
            text.push('\n');
        }
        text
    });
    Ok(Exit::Ok)
}
