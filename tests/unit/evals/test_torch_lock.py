"""PyTorch is installed by hash where a lock is named, since no lock fits all machines."""

from gem_tasks.evals import environment


def test_a_lock_of_ones_own_is_installed_by_hash(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(environment, "_run", lambda command, name: commands.append(command))
    monkeypatch.delenv("GEM_TORCH_LOCK", raising=False)
    environment._install_torch(tmp_path, "train", lambda *told: None)
    monkeypatch.setenv("GEM_TORCH_LOCK", "/locks/torch.lock")
    environment._install_torch(tmp_path, "train", lambda *told: None)
    usual, locked = commands
    assert usual[-2] == "-r"
    assert usual[-1].endswith("envs/train/torch.txt")
    assert locked[-4:] == ["--no-deps", "--require-hashes", "-r", "/locks/torch.lock"]
