// Credentials that change: token files that are renewed, programs that give tokens for a while.

import Glibc
import Testing

@testable import KubernetesClient

@Suite("Credentials")
struct CredentialTests {
  private func access(_ program: CredentialProgram) -> ClusterAccess {
    var access = ClusterAccess(server: "https://h:1", source: "the test")
    access.program = program
    return access
  }

  private func program(
    _ script: String, in directory: Directory, version: String = "v1"
  ) throws -> CredentialProgram {
    let path = try directory.write("get", "#!/bin/sh\n" + script, mode: 0o700)
    return CredentialProgram(
      apiVersion: "client.authentication.k8s.io/\(version)", command: path)
  }

  private static func grant(_ token: String, version: String = "v1", expiry: String? = nil)
    -> String
  {
    let end = expiry.map { #","expirationTimestamp":"\#($0)""# } ?? ""
    return
      #"{"apiVersion":"client.authentication.k8s.io/\#(version)","kind":"ExecCredential","status":{"token":"\#(token)"\#(end)}}"#
  }

  @Test("a token file is read again when it changed, and its newline is no part of the token")
  func tokenFile() async throws {
    let directory = try Directory()
    var access = ClusterAccess(server: "https://h:1", source: "the test")
    access.token = .file(try directory.write("token", "one\n"))
    let credentials = Credentials(access)
    #expect(try await credentials.current().token == Secret("one"))
    let again = try await credentials.current()
    #expect(again.edition == 1)
    try directory.write("token", "two\n")
    let fresh = try await credentials.current()
    #expect(fresh.token == Secret("two") && fresh.edition == 2)
    #expect(await credentials.refused(again))
    #expect(await !credentials.refused(fresh))
  }

  @Test("a token file that is missing is told by name and purpose")
  func missingFile() async throws {
    var access = ClusterAccess(server: "https://h:1", source: "~/.kube/config, context x")
    access.token = .file("/nowhere/token")
    let credentials = Credentials(access)
    let error = await failure { _ = try await credentials.current() }
    #expect(
      error?.description
        == "/nowhere/token, the tokenFile of ~/.kube/config, context x, can't be read: No such file or directory"
    )
  }

  @Test(
    "a program is run once for many requests, again when its token ends or is refused",
    arguments: ["v1", "v1beta1"])
  func program(version: String) async throws {
    let directory = try Directory()
    let count = "\(directory.path)/count"
    let script = """
      echo x >>"\(count)"
      echo '\(Self.grant("t", version: version, expiry: "2999-01-01T00:00:00Z"))'
      """
    let credentials = Credentials(access(try program(script, in: directory, version: version)))
    func runs() throws -> Int { try WatchedFileReader.lines(of: count) }
    async let one = credentials.current()
    async let two = credentials.current()
    let identities = try await [one, two]
    #expect(identities.allSatisfy { $0.token == Secret("t") })
    #expect(try runs() == 1)
    #expect(await credentials.refused(identities[0]))
    _ = try await credentials.current()
    #expect(try runs() == 2)
  }

  @Test("a token that has ended is asked for anew")
  func expiry() async throws {
    let directory = try Directory()
    let script = """
      echo x >>"\(directory.path)/count"
      echo '\(Self.grant("t", expiry: "2020-01-01T00:00:00Z"))'
      """
    let credentials = Credentials(access(try program(script, in: directory)))
    _ = try await credentials.current()
    _ = try await credentials.current()
    #expect(try WatchedFileReader.lines(of: "\(directory.path)/count") == 2)
  }

  @Test("a program is told what it is asked, has its own variables and few of ours")
  func environment() async throws {
    setenv("LIBURNA_TEST_SECRET", "no", 1)
    let directory = try Directory()
    var program = try program(
      """
      [ "$OWN" = yes ] && [ -z "${LIBURNA_TEST_SECRET+x}" ] || exit 3
      case $KUBERNETES_EXEC_INFO in *'"interactive":false'*'"server":"https://h:1"'*) ;; *) exit 4 ;; esac
      echo '\(Self.grant("$1"))' | sed "s/[$]1/$1/"
      """, in: directory)
    program.arguments = ["word"]
    program.environment = [(name: "OWN", value: Secret("yes"))]
    program.wantsCluster = true
    let identity = try await Credentials(access(program)).current()
    #expect(identity.token == Secret("word"))
  }

  @Test(
    "a program that gives nothing is told by name, and nothing of what it wrote",
    arguments: [
      ("echo secret; exit 7", "failed with exit code 7"), ("echo secret", "wrote no JSON"),
      (#"echo '{"kind":"secret"}'"#, "wrote no ExecCredential of"),
      ("echo '\(grant("secret", version: "v1beta1"))'", "wrote no ExecCredential of"),
      ("kill -9 $$", "was ended by signal 9"),
    ])
  func failures(script: String, words: String) async throws {
    let directory = try Directory()
    let credentials = Credentials(access(try program(script, in: directory)))
    let error = await failure { _ = try await credentials.current() }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "no error")")
    #expect(error?.description.contains("secret") == false)
  }

  @Test("a program that is missing is told with the words of the kubeconfig")
  func missing() async throws {
    var program = CredentialProgram(
      apiVersion: "client.authentication.k8s.io/v1", command: "no-such-program")
    program.installHint = "install it like this"
    let credentials = Credentials(access(program))
    let error = await failure { _ = try await credentials.current() }
    #expect(
      error?.description
        == "the credential program no-such-program of the test is not there; install it like this")
  }

  @Test("a program that hangs, or whose children hold its output, is ended with them")
  func hanging() async throws {
    let directory = try Directory()
    let program = try program(
      "sleep 1000 & echo $! >'\(directory.path)/pid'; exit 0", in: directory)
    let start = ContinuousClock.now
    let error = await failure {
      _ = try await ProgramCredential.ask(program, access(program), patience: 2)
    }
    #expect(
      error?.description.contains("did not end within 2 s") == true, "\(error?.description ?? "")")
    #expect(.now - start < .seconds(20))
    let text = try String(
      decoding: WatchedFileReader.bytes(of: "\(directory.path)/pid"), as: UTF8.self)
    let child = try #require(pid_t(text.filter(\.isNumber)))
    while kill(child, 0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// Files as tests look at them.
enum WatchedFileReader {
  static func bytes(of path: String) throws -> [UInt8] {
    var file = WatchedFile(path, purpose: "test")
    return try file.content()
  }

  static func lines(of path: String) throws -> Int {
    try bytes(of: path).count { $0 == UInt8(ascii: "\n") }
  }
}
