// Composition files that are right: what is made of them.

import Compositions
import Testing

@Suite("Reading a composition file")
struct ReadingTests {
  @Test("the shortest file is a lab of one host with two users")
  func shortest() throws {
    let lab = try composition("name: mine\nroles: {server: }\n")
    #expect(lab == Composition(name: "mine", roles: [Role(name: "server", hosts: ["server"])]))
    #expect(lab.accounts.map(\.name) == ["user1", "user2"])
  }

  @Test("the keys of the whole lab")
  func whole() throws {
    let lab = try composition(
      """
      name: oar2
      about: "A lab"
      root: debian:bookworm
      packages: [munge, munge, "libc6=2.36-9+deb12u1"]
      init: systemd
      users: [ann, {name: bob, groups: [adm, sudo]}]
      accounts: {oar: /var/lib/oar, web: {home: /srv/web, groups: [oar]}}
      shared: [/srv/share]
      volumes: ["./src:/src:cow", "~/data:/data", "/opt:/opt:ro", ".:/here"]
      variables: {SCHEDULER: kamelot, EMPTY: , TEXT: "a b"}
      software: oar2
      roles: {server: {}}
      test: |
        exit 0
      """)
    #expect(lab.about == "A lab")
    #expect(lab.root == .debian("bookworm"))
    #expect(lab.packages == ["munge", "libc6=2.36-9+deb12u1"])
    #expect(lab.firstProcess == .systemd)
    #expect(
      lab.accounts == [
        LabAccount(name: "ann", home: "/home/ann"),
        LabAccount(name: "bob", home: "/home/bob", groups: ["adm", "sudo"]),
        LabAccount(name: "oar", home: "/var/lib/oar"),
        LabAccount(name: "web", home: "/srv/web", groups: ["oar"]),
      ])
    #expect(lab.shared == ["/srv/share"])
    #expect(
      lab.volumes == [
        Volume(source: "/labs/src", target: "/src", mode: .cow),
        Volume(source: "/home/me/data", target: "/data"),
        Volume(source: "/opt", target: "/opt", mode: .ro),
        Volume(source: "/labs", target: "/here"),
      ])
    #expect(
      lab.variables == [
        Variable("SCHEDULER", "kamelot"), Variable("EMPTY", ""), Variable("TEXT", "a b"),
      ])
    #expect(lab.software == .oar2)
    #expect(lab.test == "exit 0")
  }

  @Test(
    "a root file system is the machine's, Debian's, an image, a directory or a tar file",
    arguments: [
      ("host", RootSource.host), ("debian:trixie", .debian("trixie")),
      ("image:docker.io/library/debian:bookworm", .image("docker.io/library/debian:bookworm")),
      ("/srv/root", .directory("/srv/root")), ("./root", .directory("/labs/root")),
      ("~/root.tar.gz", .archive("/home/me/root.tar.gz")), ("../r.tar", .archive("/labs/../r.tar")),
    ])
  func roots(text: String, root: RootSource) throws {
    #expect(try composition("name: a\nroot: \(text)\nroles: {a: }").root == root)
  }

  @Test("a role with its files, scripts, services and limits")
  func role() throws {
    let lab = try composition(
      """
      name: a
      files:
        /etc/motd: Hello
        /etc/both: of all
      prepare: first
      roles:
        server:
          controls: true
          packages: [oar-server]
          files:
            /etc/both: own
            /etc/secret: {content: s, mode: "0600", owner: Debian-exim}
            /etc/empty:
          prepare: [second, third]
          services:
            one:
              command: /bin/one --flag=x  two
              ready: {port: 65535}
            two:
              command: [/bin/sh, -c, "echo 'a  b'"]
              user: postgres
              ready: {socket: /run/two.sock}
              restarts: true
            three: {command: three, ready: {file: /run/three}}
          memory: 2G
          processors: 4
      """)
    var role = Role(name: "server", hosts: ["server"])
    role.controls = true
    role.packages = ["oar-server"]
    role.files = [
      HostFile(path: "/etc/motd", content: "Hello"), HostFile(path: "/etc/both", content: "own"),
      HostFile(path: "/etc/secret", content: "s", mode: 0o600, owner: "Debian-exim"),
      HostFile(path: "/etc/empty", content: ""),
    ]
    role.prepare = ["first", "second", "third"]
    role.services = [
      Service("one", ["/bin/one", "--flag=x", "two"], ready: .port(65_535)),
      Service(
        "two", ["/bin/sh", "-c", "echo 'a  b'"], user: "postgres", ready: .socket("/run/two.sock"),
        restarts: true),
      Service("three", ["three"], ready: .file("/run/three")),
    ]
    role.memory = 2048
    role.processors = 4
    #expect(lab.roles == [role])
  }

  @Test("steps are a map of titles or a list of such maps")
  func steps() throws {
    let written = [
      """
      steps:
        register the nodes: {on: server, again: hosts, run: one}
        greet: {on: {each: node}, user: ann, run: two}
      """,
      """
      steps:
        - register the nodes: {on: server, again: hosts, run: one}
        - greet: {on: {each: node}, user: ann, run: two}
      """,
    ]
    for text in written {
      let lab = try composition("name: a\nroles: {server: , node: {count: 2}}\n" + text)
      #expect(
        lab.steps == [
          Step("register the nodes", on: .first("server"), repetition: .hosts, script: "one"),
          Step("greet", on: .each("node"), user: "ann", script: "two"),
        ])
    }
  }

  @Test("a file of a host may be a file beside the composition")
  func source() throws {
    let directory = try TemporaryDirectory()
    try directory.write("oar.conf", "LOG_LEVEL=3\n")
    let path = try directory.write(
      "lab.yaml",
      "name: a\nroles: {a: {files: {/etc/oar.conf: {source: ./oar.conf, mode: \"0640\"}}}}\n")
    let lab = try CompositionFile(path: path).composition()
    #expect(
      lab.roles[0].files == [
        HostFile(path: "/etc/oar.conf", content: "LOG_LEVEL=3\n", mode: 0o640)
      ])
  }

  @Test("anchors, aliases and merge keys save writing")
  func anchors() throws {
    let lab = try composition(
      """
      name: a
      x-common: &common {packages: [munge], memory: 128}
      roles:
        server: &server {<<: *common, memory: 256}
        node: {<<: [{count: 2}, *common]}
        other: *server
      """)
    #expect(lab.roles.map(\.packages) == [["munge"], ["munge"], ["munge"]])
    #expect(lab.roles.map(\.memory) == [256, 128, 256])
    #expect(lab.hosts == ["server", "node1", "node2", "other"])
  }

  @Test("the example of the reference is a composition")
  func example() throws {
    let document = try repositoryText("Docs/Compositions.md")
    let examples = document.split(separator: "```yaml\n").dropFirst()
      .compactMap { $0.split(separator: "\n```").first }
    #expect(examples.count == 2)
    for example in examples {
      let file = try CompositionFile(reading: String(example), name: "example", directory: "/labs")
      for setup in file.setups { _ = try file.composition(setups: [setup.name], backend: .vm) }
    }
  }
}
