// The packages installed, used and removed: on hosts that have nothing of OAR, with systemd, and beside all of
// OAR 2's own packages.

import LabFixture
import Testing

@Suite("Packages installed", .serialized)
struct InstallationStories {
  private static let ownSite = """
    name: packages
    root: debian:bookworm
    init: systemd
    packages: [adduser, init-system-helpers, libsqlite3-0, libpq5, munge, openssh-server, openssh-client, procps]
    users: [user1]
    roles:
      server: {controls: true}
      node: {count: 1}
    """

  @Test("a server and a node from the packages run a job, are upgraded, and go without a trace")
  func ownSite() async throws {
    try await PackageLab.run("own", Self.ownSite) { lab in
      let before = try await lab.files()
      try await Self.installServer(lab)
      #expect(try await lab.install("liburna-node", on: "node1").exitCode == 0)
      try await Self.configure(lab)
      try await Self.runJob(lab, id: 1)
      try await Self.keepsSecrets(lab)
      try await Self.comesBack(lab)
      try await Self.isUpgraded(lab)
      try await Self.givesWayToOAR(lab)
      try await Self.remove(lab, leaving: before)
    }
  }

  /// Without settings the service is enabled and waits.
  private static func installServer(_ lab: PackageLab) async throws {
    let said = try await lab.install(
      "liburna", "liburna-user", "liburna-oarsh", "liburna-admin", "liburna-server")
    #expect(said.exitCode == 0, "\(said)")
    #expect(said.stderr.contains("install -D -m 644 /usr/share/liburna/oar.conf"), "\(said)")
    let state = try await lab.shell(
      "systemctl is-enabled liburnad; systemctl is-active liburnad || true")
    #expect(state == "enabled\ninactive")
    #expect(
      try await lab.shell("getent passwd oar | cut -d : -f 6; stat -c %U /var/lib/oar")
        == "/var/lib/oar\noar")
  }

  /// What an administrator does: settings, the key of the account oar, the resources.
  private static func configure(_ lab: PackageLab) async throws {
    try await lab.shell(
      """
      install -D -m 644 /usr/share/liburna/oar.conf /etc/oar/oar.conf
      echo 'SERVER_HOSTNAME="server"' >>/etc/oar/oar.conf
      # The next job shall not wait for a minute.
      echo 'SCHEDULER_JOB_SECURITY_TIME="0"' >>/etc/oar/oar.conf
      cp -r /root/.ssh /var/lib/oar/.ssh
      chown -R oar: /var/lib/oar/.ssh
      systemctl start liburnad
      systemctl is-active liburnad
      oarproperty -q -c -a host
      oarnodesetting -a -h node1 -p host=node1 -p cpuset=0
      """)
  }

  private static func runJob(_ lab: PackageLab, id: Int) async throws {
    let told = try await lab.shell(
      "cd && oarsub --wait -l walltime=0:1 'cat $OAR_NODEFILE'", as: "user1")
    #expect(told.hasSuffix("OAR_JOB_ID=\(id)"), "\(told)")
    #expect(try await lab.shell("cat ~/OAR.\(id).stdout", as: "user1") == "node1")
    #expect(try await lab.shell("oarstat -s -j \(id)", as: "user1") == "\(id): Terminated")
  }

  /// Settings that users may not read, since they hold a password: commands have their own, or need none.
  private static func keepsSecrets(_ lab: PackageLab) async throws {
    try await lab.shell("chown oar: /etc/oar/oar.conf; chmod 600 /etc/oar/oar.conf")
    #expect(try await lab.shell("oarstat -s -j 1", as: "user1") == "1: Terminated")
    #expect(try await lab.install("liburna", on: "node1").exitCode == 0)
    try await lab.shell(
      """
      install -d /etc/oar
      install -m 600 /dev/null /etc/oar/oar.conf
      echo 'SERVER_HOSTNAME="server"' >/etc/oar/client.conf
      """, on: "node1")
    let elsewhere = try await lab.shell("liburna oarstat -s -j 1", on: "node1", as: "user1")
    #expect(elsewhere == "1: Terminated")
  }

  /// Killed, it is started again and knows what was.
  private static func comesBack(_ lab: PackageLab) async throws {
    try await lab.shell(
      """
      old=$(systemctl show -P MainPID liburnad)
      kill -9 "$old"
      tries=300
      until [ "$(systemctl show -P MainPID liburnad)" != "$old" ] && systemctl -q is-active liburnad; do
        tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1
      done
      """)
    #expect(try await lab.shell("oarstat -s -j 1", as: "user1") == "1: Terminated")
  }

  private static func isUpgraded(_ lab: PackageLab) async throws {
    let old = try await lab.shell("systemctl show -P MainPID liburnad")
    try await lab.shell("dpkg -i /packages/later/liburna-server_*.deb")
    #expect(try await lab.shell("systemctl is-active liburnad") == "active")
    #expect(try await lab.shell("systemctl show -P MainPID liburnad") != old)
    #expect(
      try await lab.shell("dpkg-query -W -f '${Version}' liburna-server") == BuiltPackages.upgrade)
    try await Self.runJob(lab, id: 2)
  }

  /// A service of the name of OAR's: one of the two runs, whichever is started.
  private static func givesWayToOAR(_ lab: PackageLab) async throws {
    try await lab.shell(
      """
      printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/run/systemd/system/oar-server.service
      systemctl daemon-reload
      """)
    let states = "systemctl is-active oar-server liburnad || true"
    try await lab.shell("systemctl start oar-server")
    #expect(try await lab.shell(states) == "active\ninactive")
    try await lab.shell("systemctl start liburnad")
    #expect(try await lab.shell(states) == "inactive\nactive")
    try await lab.shell("rm /run/systemd/system/oar-server.service; systemctl daemon-reload")
  }

  /// Removed, what is durable stays; purged, nothing does but what the administrator made.
  private static func remove(_ lab: PackageLab, leaving before: Set<String>) async throws {
    let packages = "liburna liburna-user liburna-oarsh liburna-admin liburna-server"
    try await lab.shell("dpkg -r \(packages)")
    #expect(try await lab.shell("systemctl is-active liburnad || true") == "inactive")
    #expect(try await lab.shell("ls /var/lib/oar/oar.sqlite /etc/oar/oar.conf | wc -l") == "2")
    try await lab.shell("rm -r /var/lib/oar/.ssh; dpkg -P \(packages); rm -r /etc/oar")
    let after = try await lab.files()
    #expect(after.subtracting(before).sorted() == [])
    #expect(before.subtracting(after).sorted() == [])
    #expect(try await lab.shell("dpkg -P liburna-node", on: "node1").contains("Purging"))
    #expect(try await lab.shell("ls -d /var/lib/liburna-node || true", on: "node1") == "")
  }

  /// The image of the composition `oar2`, with nothing started.
  private static let besideOAR = """
    name: packages-oar2
    extends: oar2
    roles:
      frontend:
      node:
      server: {prepare: , services: }
    steps:
    test:
    """

  @Test(
    "beside OAR 2, what can't conflict is installed, what would is refused, and OAR is left as it was"
  )
  func besideOAR2() async throws {
    try await PackageLab.run("oar2", Self.besideOAR) { lab in
      try await lab.shell("dpkg -i /packages/needed/*.deb")
      let before = try await lab.files()
      let settings = try await lab.shell(
        "md5sum /etc/oar/oar.conf; dpkg --verify oar-common oar-server")
      let installed = try await lab.install(
        "liburna", "liburna-server", "liburna-node", "liburna-planners", "liburna-lab",
        "liburna-bebida")
      #expect(installed.exitCode == 0, "\(installed)")
      try await Self.isUsable(lab)
      for (package, other) in [
        ("liburna-user", "oar-user"), ("liburna-oarsh", "oar-common"),
        ("liburna-admin", "oar-common"),
      ] {
        let refused = try await lab.install(package)
        #expect(refused.exitCode == 1)
        #expect(refused.stderr.contains("conflict"), "\(refused)")
        #expect(refused.stderr.contains(other), "\(refused)")
      }
      #expect(
        try await lab.shell("md5sum /etc/oar/oar.conf; dpkg --verify oar-common oar-server")
          == settings)
      try await lab.shell(
        """
        dpkg -P liburna liburna-server liburna-node liburna-lab liburna-bebida
        ln -s /usr/lib/oar/kamelot /usr/lib/oar/schedulers/kamelot
        """)
      let warned = try await lab.result(
        "dpkg -P liburna-planners; rm /usr/lib/oar/schedulers/kamelot")
      #expect(warned.stderr.contains("schedulers/kamelot still leads"), "\(warned)")
      let after = try await lab.files()
      #expect(after.subtracting(before).sorted() == [])
      #expect(before.subtracting(after).sorted() == [])
    }
  }

  /// The planner lies where OAR looks for it; commands are there without the names of OAR's; the server
  /// is not enabled.
  private static func isUsable(_ lab: PackageLab) async throws {
    #expect(try await lab.shell("/usr/lib/oar/kamelot --help").hasPrefix("Usage: kamelot"))
    #expect(try await lab.shell("liburna oarsub --version").contains("Liburna"))
    #expect(try await lab.shell("/usr/lib/liburna/bin/oarstat --version").contains("Liburna"))
    #expect(try await lab.shell("oarstat --version").contains("Canicule"))
    #expect(try await lab.shell("liburnad --version").hasPrefix("liburnad "))
    #expect(try await lab.shell("bebidad --version").hasPrefix("bebidad "))
    #expect(
      try await lab.shell("ls /etc/systemd/system/*/liburnad.service 2>/dev/null || true") == "")
  }
}
