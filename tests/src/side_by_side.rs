//! Work on all cores, told in its order.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Does each job once, as many at the same time as there are cores, and tells what came of them one by
/// one, in the order of the jobs and as early as that order allows.
pub fn each<Job: Sync, Done: Send>(
    jobs: &[Job],
    work: impl Fn(&Job) -> Done + Sync,
    mut told: impl FnMut(&Job, Done),
) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(position) else {
                        return;
                    };
                    // Who listened is gone only when telling has failed.
                    if sender.send((position, work(job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (position, done) in receiver {
            waiting.insert(position, done);
            while let Some(done) = waiting.remove(&due) {
                told(&jobs[due], done);
                due += 1;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, thread, time::Duration};

    use super::each;

    #[test]
    fn every_job_is_done_once_and_told_in_its_order() {
        let jobs: Vec<u64> = (0..40).rev().collect();
        let (done, mut told) = (Mutex::new(Vec::new()), Vec::new());
        each(
            &jobs,
            |job| {
                thread::sleep(Duration::from_micros(*job * 50));
                done.lock().unwrap().push(*job);
                job * 2
            },
            |job, doubled| told.push((*job, doubled)),
        );
        let in_order: Vec<_> = jobs.iter().map(|job| (*job, job * 2)).collect();
        assert_eq!(told, in_order);
        let mut done = done.into_inner().unwrap();
        done.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(done, jobs);
    }
}
