//! The outbox: what waits to be sent.

use purser_core::ports::{Mail, Outbox};

use super::{
    Arm,
    sample::{at, mail, north, south},
};

/// A mail is offered until somebody notes that it was sent.
pub async fn a_kept_mail_is_unsent_until_it_is_noted_as_sent(arm: impl Arm) {
    let outbox = arm.outbox();
    let first = outbox.keep(mail(&north(), "one")).await.expect("a mail");
    let second = outbox.keep(mail(&south(), "two")).await.expect("a mail");
    assert_ne!(first, second);
    outbox.sent(first, at(9)).await.expect("noted");
    outbox.sent(first, at(99)).await.expect("noted again");
    let unsent = outbox.unsent(10).await.expect("mails");
    assert_eq!(unsent, [(second, mail(&south(), "two"))]);
    let all = outbox.mails(10).await.expect("mails");
    let expected = [
        (second, mail(&south(), "two"), None),
        (first, mail(&north(), "one"), Some(at(9))),
    ];
    assert_eq!(all, expected);
}

/// Senders start with the oldest, people read from the newest.
pub async fn unsent_mails_come_oldest_first_and_all_mails_newest_first(arm: impl Arm) {
    let outbox = arm.outbox();
    for number in 0..5 {
        let kept = outbox.keep(mail(&north(), &number.to_string())).await;
        kept.expect("a mail");
        arm.advance(std::time::Duration::from_secs(1)).await;
    }
    let unsent = outbox.unsent(3).await.expect("mails");
    let oldest: Vec<_> = unsent.iter().map(|it| it.1.subject.as_str()).collect();
    assert_eq!(oldest, ["0", "1", "2"]);
    let all = outbox.mails(3).await.expect("mails");
    let newest: Vec<_> = all.iter().map(|it| it.1.subject.as_str()).collect();
    assert_eq!(newest, ["4", "3", "2"]);
}

/// Nothing a vendor or person types is changed on the way.
pub async fn a_mail_is_kept_word_for_word(arm: impl Arm) {
    let odd = Mail {
        text: "\u{0}\u{202e}\"\\ 🧾\r\n".to_owned(),
        ..mail(&north(), "'; DROP TABLE mails; --")
    };
    let id = arm.outbox().keep(odd.clone()).await.expect("a mail");
    let unsent = arm.outbox().unsent(1).await.expect("mails");
    assert_eq!(unsent, [(id, odd)]);
}
