//! The contract of the storage ports: one suite of cases that every adapter passes.
//!
//! Each case is one function named for a behaviour. [`contract_suite`](crate::contract_suite) lists
//! them all and makes a test of each for one [`Arm`]; an arm cannot leave a case out, and a case
//! that is written but not listed fails the suite.

#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

pub mod documents;
pub mod outbox;
pub mod queue;
pub mod queue_faults;
pub mod reading;
pub mod records;
pub mod registry;
pub(crate) mod sample;
pub mod schedule;

use std::{collections::BTreeSet, fs, future::Future, path::Path, time::Duration};

use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Inbox, Lane, Ledger, Outbox, Queue, Registry, Schedule, StoreError},
};

/// One set of adapters that the suite runs against, fresh and empty.
pub trait Arm: Send + Sync + 'static {
    /// The adapter of the ledger.
    type Ledger: Ledger;
    /// The adapter of the outbox.
    type Outbox: Outbox;
    /// The adapter of the queue, for senders.
    type Queue: Queue;
    /// The adapter of the queue, for the receiver.
    type Inbox: Inbox;
    /// The adapter of the alarms.
    type Schedule: Schedule;
    /// The adapter of the registry.
    type Registry: Registry;

    /// Starts from nothing.
    fn start() -> impl Future<Output = Self> + Send;

    /// The ledger.
    fn ledger(&self) -> &Self::Ledger;

    /// The outbox.
    fn outbox(&self) -> &Self::Outbox;

    /// The queue, for senders.
    fn queue(&self) -> &Self::Queue;

    /// The queue, for the receiver.
    fn inbox(&self) -> &Self::Inbox;

    /// The alarms.
    fn schedule(&self) -> &Self::Schedule;

    /// The registry.
    fn registry(&self) -> &Self::Registry;

    /// Now, by the clock of the adapters.
    fn now(&self) -> Timestamp;

    /// How long the suite hides a received message; an arm that cannot hurry its clock says less.
    fn visibility(&self) -> Duration {
        Duration::from_mins(9)
    }

    /// After how long the suite wants a message back that it gives back.
    fn delay(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Lets this much time pass by that clock.
    fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send;

    /// Queues a body that the port would never send.
    fn send_raw(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deduplication: &str,
        body: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Fails when a case is written that this list lacks, or one stands in it twice.
pub fn assert_all_are_listed(cases: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let mut written = BTreeSet::new();
    for file in fs::read_dir(folder).expect("the cases") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "));
        let names = names.filter_map(|rest| rest.split('(').next());
        written.extend(names.map(str::to_owned));
    }
    let listed: BTreeSet<_> = cases.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(written, listed);
    assert_eq!(listed.len(), cases.len(), "a name is listed twice");
}

/// Makes a test of every case of the contract for one arm, and `CASES`, the list of their names.
#[macro_export]
macro_rules! contract_suite {
    ($arm:ty) => {
        $crate::contract_suite! { @cases $arm;
            documents:
                a_document_is_read_as_it_was_written,
                a_document_is_written_only_over_the_expected_version,
                a_document_that_is_absent_can_be_removed,
                a_version_is_never_used_twice,
                each_tenant_has_its_own_documents,
                of_twenty_racing_writes_exactly_one_wins,
                a_tenant_is_listed_by_name_once_it_has_anything,
                a_removed_tenant_leaves_nothing_and_no_neighbour_loses_anything;
            records:
                a_new_record_is_written_only_where_none_is,
                a_record_is_written_only_over_the_expected_operation,
                a_retried_write_is_recognised_as_its_own,
                a_retried_first_write_is_recognised_as_its_own,
                a_conflict_tells_what_is_there,
                a_lower_fence_is_refused,
                any_overwrites_whatever_is_there,
                changes_of_a_batch_stand_or_fall_by_themselves,
                two_changes_of_one_record_in_a_batch_are_made_in_order,
                history_and_mails_are_stored_with_the_record,
                history_and_mails_of_a_refused_change_are_not_stored,
                history_and_mails_of_a_retried_change_are_stored_once,
                of_twenty_racing_commits_exactly_one_wins,
                every_state_survives_the_store;
            reading:
                records_are_read_in_bulk_without_the_absent,
                a_thousand_records_are_read_at_once,
                due_orders_come_earliest_first,
                an_order_is_due_at_its_very_moment,
                an_order_without_a_due_time_is_never_due,
                next_due_is_the_earliest_due_time,
                the_list_is_newest_first_and_pages_without_gaps,
                paging_stays_stable_while_records_change,
                the_list_is_filtered_by_state_wait_and_order,
                counts_follow_the_states,
                the_list_is_filtered_by_vendor_text_and_time,
                states_are_counted_between_moments,
                the_oldest_open_order_is_told,
                the_history_of_an_order_is_oldest_first,
                tenants_and_realms_never_see_each_others_records;
            outbox:
                a_kept_mail_is_unsent_until_it_is_noted_as_sent,
                unsent_mails_come_oldest_first_and_all_mails_newest_first,
                a_mail_is_kept_word_for_word;
            queue:
                an_empty_queue_delivers_nothing,
                messages_of_a_group_come_in_order,
                a_group_delivers_one_message_at_a_time,
                groups_do_not_block_each_other,
                the_lanes_of_a_tenant_are_two_groups,
                a_busy_group_does_not_starve_another,
                the_same_deduplication_id_within_five_minutes_is_one_message,
                a_deduplication_id_outlives_its_message,
                a_deduplication_id_of_one_tenant_swallows_no_other_tenants_message,
                a_thousand_messages_come_once_and_in_order,
                racing_receivers_share_no_message;
            queue_faults:
                a_message_comes_back_when_its_time_is_over,
                a_stale_receipt_does_nothing,
                a_message_given_back_comes_again_after_the_delay,
                a_message_given_back_keeps_its_place,
                receives_are_counted,
                every_delivery_has_its_own_receipt,
                a_receipt_that_never_was_does_nothing,
                garbage_is_delivered_as_it_is;
            schedule:
                an_alarm_is_armed_once_it_was_armed,
                arming_a_run_again_moves_its_alarm,
                alarms_of_tenants_are_apart;
            registry:
                an_entry_is_written_only_over_the_expected_version,
                an_entry_ends_at_its_moment,
                of_twenty_racing_takers_exactly_one_gets_it,
                entries_are_found_by_group_and_by_owner,
                a_removed_tenant_takes_its_entries_along;
        }
    };
    (@cases $arm:ty; $($group:ident: $($case:ident),+ $(,)?;)+) => {
        /// The names of all cases.
        const CASES: &[&str] = &[$($(stringify!($case)),+),+];
        $(mod $group {
            $(#[tokio::test]
            async fn $case() {
                let arm = <$arm as $crate::contract::Arm>::start().await;
                $crate::contract::$group::$case(arm).await;
            })+
        })+
    };
}
