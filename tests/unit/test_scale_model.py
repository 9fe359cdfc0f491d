"""The model of a billion documents: what must hold whatever the costs are."""

from dataclasses import replace

import pytest

from benchmarks.scale.costs import LINE, Costs, Deployment
from benchmarks.scale.model import Model, rate_of

DEPLOYMENT = Deployment(outage_every_s=1e12, worker_lost_every_s=1e12)
RATE = rate_of(1e9, 365)


def simulated(deployment=DEPLOYMENT, existing=0.0, seed=0, hours=48, rate=RATE):
    return Model(Costs(), deployment, rate, existing, seed).run(hours)


def test_a_seed_repeats_itself_and_another_does_not():
    assert simulated() == simulated()
    assert simulated().lags != simulated(seed=1).lags


def test_rows_and_tokens_are_those_of_the_segments_that_reach_each_stage():
    found = simulated(rate=1_000, hours=24)
    of_stage = [found.segments * share for share in (1, 0.14, 0.14, 0.14, 0.14)]
    assert found.rows == pytest.approx(sum(of_stage), rel=0.02)
    assert found.tokens_out == pytest.approx(
        sum(s.tokens_out * n for s, n in zip(LINE, of_stage, strict=True)), rel=0.02
    )


def test_no_resource_is_busier_than_its_time():
    assert all(0 <= share <= 1 for share in simulated(replace(DEPLOYMENT, in_flight=512)).utilisation().values())


def test_an_outage_delays_and_loses_nothing():
    calm, stormy = simulated(), simulated(replace(DEPLOYMENT, outage_every_s=36_000, outage_s=3_600))
    assert sum(stormy.lags) > sum(calm.lags)
    assert stormy.documents == calm.documents


def test_a_small_endpoint_breaks_first():
    found = simulated(replace(DEPLOYMENT, in_flight=1_024))
    used = found.utilisation()
    assert max(used, key=lambda name: used[name]) == "endpoint"
    assert len(found.lags) < found.arrived


def test_a_key_that_begins_with_the_partition_matters_only_once_the_index_is_larger_than_memory():
    old = replace(DEPLOYMENT, partition_key=False)

    def busy(deployment, existing):
        return simulated(deployment, existing).utilisation()["lineage"]

    assert busy(old, 0) < 2 * busy(DEPLOYMENT, 0)
    assert busy(old, 9e8) > 10 * busy(DEPLOYMENT, 9e8)


def test_near_duplicates_slow_ingestion_down_once_their_index_is_on_disk():
    assert simulated(existing=9e8).utilisation()["ingestion"] > 1.5 * simulated().utilisation()["ingestion"]
