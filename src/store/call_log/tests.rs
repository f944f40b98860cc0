//! Rows on their way to disks that are well, full, and not there.

use super::super::Store;
use super::super::tests::{call, fill, place, scratch};
use super::*;
use crate::call::Outcome;
use std::path::Path;
use tokio::time::sleep;

fn start(file: &Path) -> CallLog {
    CallLog::start(place(file))
}

fn numbers(file: &Path) -> Vec<String> {
    let rows = Store::open(file).unwrap().recent(100).unwrap();
    rows.into_iter().filter_map(|row| row.number).collect()
}

#[tokio::test]
async fn a_call_is_one_row_however_often_it_is_saved() {
    let (_folder, file) = scratch();
    let log = start(&file);
    let mut first = call("5550101");
    log.save(CallKey(1), first.clone());
    log.save(CallKey(2), call("5550102"));
    tokio::task::yield_now().await;
    first.outcome = Some(Outcome::Finished);
    log.clone().save(CallKey(1), first.clone());
    log.close().await;
    let rows = Store::open(&file).unwrap().recent(10).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].number.as_deref(), Some("5550101"));
    assert_eq!(rows[0].outcome.as_deref(), Some("finished"));
    assert_eq!(rows[1].outcome, None);
}

#[tokio::test]
async fn a_row_is_on_disk_while_the_call_lasts() {
    let (_folder, file) = scratch();
    let log = start(&file);
    log.save(CallKey(1), call("5550101"));
    let reader = Store::open(&file).unwrap();
    while reader.recent(1).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    log.close().await;
}

#[tokio::test]
async fn saving_after_the_end_does_no_harm() {
    let (_folder, file) = scratch();
    let log = start(&file);
    let other = log.clone();
    log.close().await;
    other.save(CallKey(1), call("5550101"));
    other.close().await;
}

#[tokio::test]
async fn what_an_earlier_process_left_is_completed_but_not_a_call_of_this_one() {
    let (_folder, file) = scratch();
    Store::open(&file)
        .unwrap()
        .insert(&call("5550101"))
        .unwrap();
    let log = start(&file);
    log.save(CallKey(1), call("5550102"));
    log.close().await;
    let rows = Store::open(&file).unwrap().recent(10).unwrap();
    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome.as_deref()).collect();
    assert_eq!(outcomes, [Some("interrupted"), None]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_failed_is_tried_again_without_another_call() {
    let (_folder, file) = scratch();
    drop(Store::open(&file).unwrap());
    let disk = fill(&file);
    let log = start(&file);
    log.save(CallKey(1), call("5550101"));
    sleep(RETRY_INTERVAL * 3).await;
    disk.execute_batch("DROP TRIGGER full").unwrap();
    sleep(RETRY_INTERVAL * 2).await;
    assert_eq!(numbers(&file), ["5550101"]);
    log.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_not_there_yet_gets_its_rows_when_it_comes() {
    let (folder, _) = scratch();
    let mount = folder.path().join("disk/callblock");
    let file = mount.join("callblock.db");
    let log = start(&file);
    log.save(CallKey(1), call("5550101"));
    sleep(RETRY_INTERVAL * 3).await;
    std::fs::create_dir_all(&mount).unwrap();
    sleep(RETRY_INTERVAL * 2).await;
    assert_eq!(numbers(&file), ["5550101"]);
    log.save(CallKey(2), call("5550102"));
    log.close().await;
    assert_eq!(numbers(&file), ["5550101", "5550102"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_deleted_during_a_call_is_begun_again_with_that_call() {
    let (folder, _) = scratch();
    let data = folder.path().join("data");
    let file = data.join("callblock.db");
    let log = start(&file);
    log.save(CallKey(1), call("5550101"));
    sleep(Duration::from_secs(1)).await;
    std::fs::remove_dir_all(&data).unwrap();
    let mut ended = call("5550101");
    ended.outcome = Some(Outcome::CallerHungUp);
    log.save(CallKey(1), ended);
    sleep(Duration::from_secs(1)).await;
    let rows = Store::open(&file).unwrap().recent(10).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].outcome.as_deref(), Some("caller-hung-up"));
    log.close().await;
}

#[test]
fn what_waits_is_bounded_and_newest_in_its_old_place() {
    let mut queue = Queue::default();
    for key in 0..1500 {
        queue.push(CallKey(key), call("5550101"));
    }
    queue.push(CallKey(700), call("5550102"));
    assert_eq!(queue.len(), MAX_WAITING);
    assert_eq!(queue.front().map(|entry| entry.0), Some(CallKey(500)));
    let revised = queue.0.iter().find(|entry| entry.0 == CallKey(700));
    assert_eq!(revised.unwrap().1.number.as_deref(), Some("5550102"));
}
