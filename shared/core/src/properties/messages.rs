//! Messages and records that outlive the program which wrote them.

use proptest::{option, prelude::*, sample::select};
use purser_cases::{config, long_text, text};

use crate::{
    ids::{OrderId, RunNumber, TenantId, TraceId},
    notice::{Code, Notice},
    orders::todo_key,
    ports::WorkMessage,
    record::Origin,
    testing::record,
    todo,
};

fn tenant() -> impl Strategy<Value = TenantId> {
    "[a-z0-9-]{1,40}".prop_map(|name| name.parse().unwrap())
}

fn message() -> impl Strategy<Value = WorkMessage> {
    let origins = vec![Origin::Scan, Origin::Sweep, Origin::Person, Origin::Retry];
    let parts = (
        any::<bool>(),
        tenant(),
        option::of(any::<u64>().prop_map(RunNumber)),
        proptest::collection::vec((1..=i64::MAX).prop_map(OrderId::new), 0..30),
        select(origins),
        option::of(any::<u128>().prop_map(TraceId::of)),
    );
    parts.prop_map(
        |(is_end, tenant, run, orders, origin, trace)| match is_end {
            true => WorkMessage::EndOfRun {
                version: WorkMessage::VERSION,
                tenant,
                run: run.unwrap_or_default(),
                trace,
            },
            false => WorkMessage::Sync {
                version: WorkMessage::VERSION,
                tenant,
                run,
                orders,
                origin,
                trace,
            },
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_work_message_comes_out_of_the_queue_as_it_went_in(message in message()) {
        let body = serde_json::to_string(&message).unwrap();
        prop_assert_eq!(serde_json::from_str::<WorkMessage>(&body).unwrap(), message.clone());
        // A name that this version does not know is not passed over: it may change the meaning.
        let mut value: serde_json::Value = serde_json::from_str(&body).unwrap();
        value["later"] = true.into();
        prop_assert!(serde_json::from_value::<WorkMessage>(value).is_err());
    }

    #[test]
    fn a_notice_keeps_its_words_through_the_store(
        code in select(Code::ALL.to_vec()),
        values in proptest::collection::vec((select(vec!["name", "order", "line", "x"]), text(20)), 0..4),
    ) {
        let mut notice = Notice::new(code);
        for (name, value) in values {
            notice = notice.with(name, value);
        }
        let stored = serde_json::to_string(&notice).unwrap();
        let read: Notice = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!((read.cause(), read.remedy()), (notice.cause(), notice.remedy()));
        prop_assert_eq!(read, notice);
    }

    #[test]
    fn a_todo_begins_with_its_key_and_has_a_line_for_each_part(
        number in text(30),
        vendor in option::of(text(30)),
        name in long_text(2_000),
        code in select(Code::ALL.to_vec()),
    ) {
        let mut record = record();
        record.order_number = number;
        record.vendor_name = vendor;
        let notice = Notice::new(code).with("name", name);
        let text = todo::text(&record, &notice);
        prop_assert!(text.chars().count() <= 4_000);
        let key = todo_key(record.key.order);
        prop_assert!(text.starts_with(&format!("{key} Purchase order ")), "{text:?}");
        let end = format!("\nCause: {}\nRemedy: {}\nCode: {code}", notice.cause(), notice.remedy());
        prop_assert!(text.ends_with(&end), "{text:?}");
    }
}
