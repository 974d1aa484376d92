//! The schema in numbered steps. A step that was published is never changed; a new one follows it.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a file as Purser's: the letters `PURS`.
pub(crate) const APPLICATION_ID: i32 = 0x5055_5253;

/// The steps; a file at version `n` has taken the first `n`.
pub(crate) const STEPS: &[&str] = &[
    include_str!("migrations/0001_ledger.sql"),
    include_str!("migrations/0002_queue.sql"),
    include_str!("migrations/0003_web.sql"),
];

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// It is empty.
    Fresh,
    /// It is Purser's, at this version.
    Purser(usize),
    /// It is another program's.
    Foreign,
}

/// Reads what a file says of itself, without writing a byte.
pub(crate) fn identify(connection: &Connection) -> rusqlite::Result<Identity> {
    let application: i32 = pragma(connection, "application_id")?;
    let version: i32 = pragma(connection, "user_version")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, usize::try_from(version)) {
        (APPLICATION_ID, Ok(version)) => Identity::Purser(version),
        (0, Ok(0)) if tables == 0 => Identity::Fresh,
        _ => Identity::Foreign,
    })
}

/// Takes the steps that a file has not yet taken, all in one transaction: after a crash the file is
/// either as it was or up to date. Two processes that start together take them once.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    if identify(connection)? == Identity::Purser(steps.len()) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = match identify(&transaction)? {
        Identity::Fresh => 0,
        Identity::Purser(version) => version,
        Identity::Foreign => return Ok(()),
    };
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    if taken < steps.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", steps.len()))?;
    }
    transaction.commit()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_earlier_version_arrives_at_the_same_schema() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, STEPS).unwrap();
        for earlier in 1..STEPS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, &STEPS[..earlier]).unwrap();
            assert_eq!(identify(&connection).unwrap(), Identity::Purser(earlier));
            migrate(&mut connection, STEPS).unwrap();
            assert_eq!(
                identify(&connection).unwrap(),
                Identity::Purser(STEPS.len())
            );
            assert_eq!(tables(&connection), tables(&fresh));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS[..1]).unwrap();
        let before = tables(&connection);
        let broken = [
            STEPS[0],
            "CREATE TABLE extra (id INTEGER); SELECT nonsense;",
        ];
        assert!(migrate(&mut connection, &broken).is_err());
        assert_eq!(identify(&connection).unwrap(), Identity::Purser(1));
        assert_eq!(tables(&connection), before);
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let version: i64 = connection
            .pragma_query_value(None, "schema_version", |row| row.get(0))
            .unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let again: i64 = connection
            .pragma_query_value(None, "schema_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, again);
    }
}
