"""Turns: one inside at a time, a bounded queue, and a place that is given back whatever happens."""

import threading

import pytest

from engine.turns import Busy, Turns


def test_one_at_a_time():
    turns, inside, most = Turns(20), [0], [0]

    def work() -> None:
        with turns.take():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.002)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and inside == [0]


def test_a_full_queue_is_refused_at_once_and_frees_itself():
    turns, entered, leave = Turns(1), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.take():
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    waiter = threading.Thread(target=hold)
    waiter.start()
    while turns._places._value:  # until the waiter has taken the only place in the queue
        threading.Event().wait(0.001)
    with pytest.raises(Busy, match="1 photos are waiting"), turns.take():
        pass
    leave.set()
    holder.join()
    waiter.join()
    with turns.take():
        pass


def test_patience_ends_and_errors_give_the_place_back():
    turns = Turns(5)
    with turns.take(), pytest.raises(Busy, match="No turn came"), turns.take(patience=0.01):
        pass
    for _ in range(20):
        with pytest.raises(KeyError), turns.take():
            raise KeyError
