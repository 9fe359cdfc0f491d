"""What an endpoint can do is remembered, whoever learns it and when."""

import threading

from gem_tasks.llm.features import Features


def test_two_workers_of_one_home_may_learn_at_once(tmp_path):
    path, failed = tmp_path / "endpoints.json", []

    def learn(model):
        known = Features(path, "http://e/v1")
        try:
            for _ in range(300):
                known.learned(model, True)
        except OSError as error:
            failed.append(error)

    workers = [threading.Thread(target=learn, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    again = Features(path, "http://e/v1")
    assert True in (again.json_schema("a"), again.json_schema("b"))
    assert list(tmp_path.iterdir()) == [path]
