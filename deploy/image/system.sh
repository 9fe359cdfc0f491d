#!/bin/sh
# Removes from the system what only people at a terminal read, and the pip that would install into it: environments of
# their own (`gem eval install`) bring one. Licences stay. Where Python's own modules have no bytecode, they get it.
set -eu
rm -rf /usr/share/man /usr/share/info /usr/share/locale /var/lib/apt/lists/* /var/cache/* /var/log/* /root/.cache
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type d -empty -delete
python -m pip --version > /dev/null
for package in pip setuptools wheel pkg_resources _distutils_hack; do
  find "$(python -c 'import pip, os; print(os.path.dirname(os.path.dirname(pip.__file__)))')" -maxdepth 1 -name "$package*"
done > /tmp/installers
xargs rm -rf < /tmp/installers
rm -f /tmp/installers /usr/bin/pip* /usr/local/bin/pip*
# The same sources give the same bytes: in order, and without times.
library=$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
find "$library" -name __pycache__ -prune -exec rm -rf {} +
PYTHONHASHSEED=0 python -m compileall -q -j 1 --invalidation-mode unchecked-hash \
  -x '/(ensurepip|idlelib|lib2to3|pydoc_data|site-packages|test|tkinter|turtledemo)/' "$library"
# Nobody becomes another user in a container.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
