#!/bin/sh
# Builds the lab's own RPM packages and their repository, with an updateinfo that marks the security
# updates. The names and versions are those of repo-deb.sh.
# usage: repo-rpm.sh OUT
set -eu
out=$1
top=$out.build
mkdir -p "$out" "$top/SPECS"

# spec NAME VERSION: a spec file; the optional %post comes from $post, one payload command from $payload
spec() {
  file=$top/SPECS/$1-$2.spec
  cat > "$file" <<SPEC
Name: $1
Version: $2
Release: 1
Summary: package $1 of the test lab
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
${extra:-}
%description
Package $1 of the test lab.
%install
mkdir -p %{buildroot}/usr/share/hostler-lab
echo "$1 $2" > %{buildroot}/usr/share/hostler-lab/$1
${payload:-}
%files
/usr/share/hostler-lab/$1
${files:-}
SPEC
  [ -z "${post:-}" ] || printf '%%post\n%s\n' "$post" >> "$file"
  rpmbuild --quiet --define "_topdir $top" --define "_rpmdir $out" --define '_binary_payload w0.gzdio' \
    --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' -bb "$file" > /dev/null 2>&1
  extra= post= payload= files=
}

extra='Provides: /bin/sh
Provides: system-release(releasever) = 9'
spec hostler-lab-base 9

for version in 1.0 1.1; do
  spec hostler-lab-plain $version
  spec hostler-lab-secure $version
  [ $version = 1.0 ] || post='touch /run/reboot-required'
  spec hostler-lab-kernel $version
  [ $version = 1.0 ] || post='echo "hostler-lab-broken: refusing to be configured" >&2; exit 1'
  spec hostler-lab-broken $version
  [ $version = 1.0 ] || post='[ -e /run/hostler-lab-hold ] || exit 0
: > /run/hostler-lab-holding
left=1200
while [ -e /run/hostler-lab-hold ] && [ $left -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
rm -f /run/hostler-lab-holding'
  spec hostler-lab-slow $version
  payload="mkdir -p %{buildroot}/etc; echo 'shipped = $version' > %{buildroot}/etc/hostler-lab.conf"
  files='%config(noreplace) /etc/hostler-lab.conf'
  spec hostler-lab-conf $version
  if [ $version = 1.1 ]; then
    payload='mkdir -p %{buildroot}/opt/hostler-lab; head -c 50331648 /dev/urandom > %{buildroot}/opt/hostler-lab/big'
    files='/opt/hostler-lab/big'
  fi
  spec hostler-lab-big $version
done
rm -rf "$top"

createrepo_c --quiet "$out"
# update NAME: one security advisory
update() {
  cat <<UPDATE
  <update from="lab@example.invalid" status="final" type="security" version="1">
    <id>LAB-2024:$2</id><title>$1 security update</title><severity>Important</severity>
    <issued date="2024-01-02 00:00:00"/><updated date="2024-01-02 00:00:00"/>
    <references><reference href="https://example.invalid/CVE-2024-$2" id="CVE-2024-$2" title="CVE-2024-$2" type="cve"/></references>
    <pkglist><collection short="lab"><name>lab</name>
      <package name="$1" version="1.1" release="1" epoch="0" arch="noarch" src="$1-1.1-1.src.rpm"><filename>$1-1.1-1.noarch.rpm</filename></package>
    </collection></pkglist>
  </update>
UPDATE
}
{
  printf '<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n'
  update hostler-lab-secure 0001; update hostler-lab-kernel 0002; update hostler-lab-slow 0003
  printf '</updates>\n'
} > "$out.updateinfo.xml"
mv "$out.updateinfo.xml" "$out/updateinfo.xml"
modifyrepo_c --mdtype=updateinfo "$out/updateinfo.xml" "$out/repodata" > /dev/null
rm "$out/updateinfo.xml"
chmod -R a+rX "$out"
