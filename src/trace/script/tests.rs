use super::*;
use crate::trace::form::{Direction, PortChange, Record, What};

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn host(seconds: f64, bytes: &[u8]) -> Record {
    crossed(seconds, Direction::ToModem, bytes)
}

fn modem(seconds: f64, bytes: &[u8]) -> Record {
    crossed(seconds, Direction::FromModem, bytes)
}

fn crossed(seconds: f64, direction: Direction, bytes: &[u8]) -> Record {
    Record {
        at: at(seconds),
        what: What::Bytes(direction, bytes.into()),
    }
}

fn piece(seconds: f64, bytes: &[u8]) -> Piece {
    Piece {
        after: at(seconds),
        bytes: bytes.into(),
    }
}

fn news(seconds: f64, bytes: &[u8]) -> News {
    News {
        at: at(seconds),
        what: Unasked::Said(bytes.into()),
    }
}

fn exchange(seconds: f64, command: &[u8], reply: &[Piece]) -> Exchange {
    Exchange {
        at: at(seconds),
        command: command.into(),
        reply: reply.into(),
        stream: None,
    }
}

#[test]
fn replies_and_news_are_told_apart_wherever_they_stand() {
    let script = builder::build(vec![
        host(0.0, b"at i3"),
        host(0.5, b"\r"),
        modem(0.5, b"AT I3\r"),
        modem(0.75, b"\r\nCX93001\r\n\r\nRING\r\n\x10R\r\nO"),
        modem(1.0, b"K\r\n"),
        modem(2.0, b"\r\nDATE = 1107\r\nNMBR = P\r\n"),
        host(3.0, b"AT+VLS=1\r"),
        modem(3.25, b"\r\nNAME = X\r\n\r\nOK\r\n\r\nERROR\r\n"),
    ]);
    assert_eq!(
        script.exchanges,
        [
            exchange(
                0.5,
                b"ATI3",
                &[
                    piece(0.0, b"AT I3\r"),
                    piece(0.25, b"\r\nCX93001\r\n\r\nO"),
                    piece(0.5, b"K\r\n"),
                ]
            ),
            exchange(3.0, b"AT+VLS=1", &[piece(0.25, b"\r\nOK\r\n")]),
        ]
    );
    assert_eq!(
        script.news,
        [
            news(0.75, b"\r\nRING\r\n\x10R"),
            news(2.0, b"\r\nDATE = 1107\r\nNMBR = P\r\n"),
            news(3.25, b"\r\nNAME = X\r\n\r\nERROR\r\n"),
        ]
    );
}

#[test]
fn a_stream_belongs_to_its_command_up_to_its_end() {
    let script = builder::build(vec![
        host(1.0, b"AT+VTR\r"),
        modem(1.5, b"\r\nCONNECT\r\n\x80\x10\x10"),
        modem(2.0, b"\x81\x10b"),
        // Audio to the modem is nothing to be said again.
        host(2.5, b"\x80\x10\x10AT\r\x80"),
        // What a host sends that makes sure of the command state.
        host(3.0, b"\0\x10\x18\x10\x03\x10!\x10^\r"),
        modem(3.25, b"\x82\x10\x03\r\nOK\r\n"),
        modem(4.0, b"\r\nRING\r\n"),
    ]);
    let stream = Stream {
        receives: true,
        body: vec![piece(0.5, b"\n\x80\x10\x10"), piece(1.0, b"\x81\x10b")],
        ended_by_modem: false,
        ending: vec![piece(0.25, b"\x82\x10\x03\r\nOK\r\n")],
    };
    let mut vtr = exchange(1.0, b"AT+VTR", &[piece(0.5, b"\r\nCONNECT\r")]);
    vtr.stream = Some(stream);
    assert_eq!(script.exchanges, [vtr]);
    assert_eq!(script.news, [news(4.0, b"\r\nRING\r\n")]);
}

#[test]
fn a_modem_may_end_a_stream_itself() {
    let script = builder::build(vec![
        host(1.0, b"AT+VRX\r"),
        modem(1.0, b"\r\nCONNECT\r\n"),
        modem(2.0, b"\x80\x10\x03\r\nNO CARRIER\r\n"),
        host(3.0, b"ATH0\r"),
        modem(3.0, b"\r\nOK\r\n"),
    ]);
    let stream = script.exchanges[0].stream.as_ref().unwrap();
    assert!(stream.ended_by_modem);
    assert_eq!(
        stream.body[1],
        piece(1.0, b"\x80\x10\x03\r\nNO CARRIER\r\n")
    );
    assert_eq!(script.exchanges[1].command, b"ATH0");
}

#[test]
fn a_transmit_stream_ends_by_its_result() {
    let script = builder::build(vec![
        host(1.0, b"AT+VTX\r"),
        modem(1.0, b"\r\nCONNECT\r\n\x10u"),
        host(2.0, b"\x80\x80\x10\x03"),
        modem(2.5, b"\r\nOK\r\n\r\nRING\r\n"),
    ]);
    let stream = script.exchanges[0].stream.as_ref().unwrap();
    assert_eq!(stream.ending, [piece(0.5, b"\r\nOK\r\n")]);
    assert_eq!(script.news, [news(2.5, b"\r\nRING\r\n")]);
}

#[test]
fn a_modem_that_was_unplugged_comes_back() {
    let port = |seconds, change| Record {
        at: at(seconds),
        what: What::Port(change),
    };
    let script = builder::build(vec![
        port(0.0, PortChange::Opened),
        port(1.0, PortChange::Lost),
        port(1.0, PortChange::Lost),
        port(1.0, PortChange::Closed),
        port(5.0, PortChange::Opened),
        port(6.0, PortChange::Closed),
        port(7.0, PortChange::Opened),
    ]);
    let plug = |seconds, what| News {
        at: at(seconds),
        what,
    };
    assert_eq!(
        script.news,
        [plug(1.0, Unasked::Unplugged), plug(5.0, Unasked::Plugged)]
    );
}
