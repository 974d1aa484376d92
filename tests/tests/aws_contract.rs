//! The contract of the storage ports, run on DynamoDB, SQS and EventBridge Scheduler in an emulator.
//!
//! `PURSER_AWS_EMULATOR` names its address; `tests/aws/contract` starts one and sets it.

use std::{
    env,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use aws_sdk_sqs::{config::Credentials, types::QueueAttributeName};
use jiff::Timestamp;
use purser_aws::{
    Access, AwsQueue, AwsSchedule, AwsStore, ScheduleTarget, SdkConfig, create_table,
};
use purser_core::{
    ids::TenantId,
    ports::{Lane, StoreError},
};
use purser_tests::contract::Arm;

const TABLE: &str = "purser";
const GROUP: &str = "purser";

/// An account of its own in the emulator, with a table, a queue and a schedule group.
struct AwsArm {
    store: AwsStore,
    queue: AwsQueue,
    schedule: AwsSchedule,
}

/// The emulator takes a number of twelve digits for an account that shares nothing with others.
fn account() -> String {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let started = i64::from(std::process::id());
    format!("{:012}", 100_000_000_000 + started * 1_000 + next)
}

fn configuration() -> SdkConfig {
    let endpoint = env::var("PURSER_AWS_EMULATOR")
        .expect("PURSER_AWS_EMULATOR names no emulator: run tests/aws/contract, which starts one");
    let access = Access {
        region: "us-east-1".to_owned(),
        credentials: Credentials::new(account(), "secret", None, None, "test"),
        endpoint: Some(endpoint),
    };
    access.configuration().expect("an HTTP client")
}

async fn queue(configuration: &SdkConfig) -> AwsQueue {
    let client = aws_sdk_sqs::Client::new(configuration);
    let made = client
        .create_queue()
        .queue_name("purser.fifo")
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
        .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")
        .send()
        .await
        .expect("a queue");
    AwsQueue::new(client, made.queue_url, None)
}

async fn schedule(configuration: &SdkConfig) -> AwsSchedule {
    let client = aws_sdk_scheduler::Client::new(configuration);
    let made = client.create_schedule_group().name(GROUP).send().await;
    made.expect("a schedule group");
    let target = ScheduleTarget {
        group: GROUP.to_owned(),
        function_arn: "arn:aws:lambda:us-east-1:000000000000:function:scanner".to_owned(),
        role_arn: "arn:aws:iam::000000000000:role/schedule".to_owned(),
        event: |tenant, run| format!(r#"{{"tenant":"{tenant}","run":{}}}"#, run.0),
    };
    AwsSchedule::new(client, Some(target))
}

impl Arm for AwsArm {
    type Ledger = AwsStore;
    type Outbox = AwsStore;
    type Queue = AwsQueue;
    type Inbox = AwsQueue;
    type Schedule = AwsSchedule;
    type Registry = AwsStore;

    async fn start() -> Self {
        let configuration = configuration();
        let client = aws_sdk_dynamodb::Client::new(&configuration);
        create_table(&client, TABLE).await.expect("a table");
        Self {
            store: AwsStore::new(client, TABLE.to_owned()),
            queue: queue(&configuration).await,
            schedule: schedule(&configuration).await,
        }
    }

    fn ledger(&self) -> &AwsStore {
        &self.store
    }

    fn outbox(&self) -> &AwsStore {
        &self.store
    }

    fn queue(&self) -> &AwsQueue {
        &self.queue
    }

    fn inbox(&self) -> &AwsQueue {
        &self.queue
    }

    fn schedule(&self) -> &AwsSchedule {
        &self.schedule
    }

    fn registry(&self) -> &AwsStore {
        &self.store
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    // The clock of SQS cannot be hurried, so the suite waits for real, but not for nine minutes.
    fn visibility(&self) -> Duration {
        Duration::from_secs(15)
    }

    fn delay(&self) -> Duration {
        Duration::from_secs(4)
    }

    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    async fn send_raw(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deduplication: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.queue.send_raw(tenant, lane, deduplication, body).await
    }
}

purser_tests::contract_suite!(super::AwsArm);

#[test]
fn every_case_that_is_written_is_listed() {
    purser_tests::contract::assert_all_are_listed(CASES);
}
