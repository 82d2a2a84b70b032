// The protocol of programs that give credentials (ExecCredential of client.authentication.k8s.io, v1 and
// v1beta1): asked by an environment variable, answered on standard output.

import Encoding

struct ProgramCredential: Sendable {
  var token: Secret?
  var certificate: [UInt8]?
  var key: Secret?
  /// nil: until the server refuses it.
  var expiry: Timestamp?

  /// Seconds for an answer.
  static let patience = 60.0
  /// The most bytes of an answer.
  static let answerLimit = 1 << 20

  /// Runs the program and reads its answer.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)`` that names the program and never what it wrote.
  static func ask(
    _ program: CredentialProgram, _ access: ClusterAccess, patience: Double = patience
  ) async throws -> ProgramCredential {
    var environment = ChildProgram.plainEnvironment()
    environment["KUBERNETES_EXEC_INFO"] = question(program, access).text
    for variable in program.environment { environment[variable.name] = variable.value.text }
    let child = ChildProgram(
      command: program.command, arguments: program.arguments, environment: environment)
    let output: [UInt8]
    do {
      output = try await child.run(seconds: patience, limit: answerLimit)
    } catch let problem as ChildProblem {
      let hint = problem == .missing ? program.installHint.map { "; \($0)" } ?? "" : ""
      throw problemOf(program, access, problem.words + hint)
    }
    do {
      return try read(output, program.apiVersion)
    } catch let problem as AnswerProblem {
      throw problemOf(program, access, problem.words)
    }
  }

  private static func problemOf(
    _ program: CredentialProgram, _ access: ClusterAccess, _ words: String
  ) -> KubernetesError {
    .configuration("the credential program \(program.command) of \(access.source) \(words)")
  }

  private static func question(_ program: CredentialProgram, _ access: ClusterAccess) -> JSONValue {
    var cluster: JSONValue?
    if program.wantsCluster {
      var authority = ""
      if case .bytes(let bytes)? = access.authority { authority = Base64.encode(bytes) }
      if case .file(let path)? = access.authority {
        var file = WatchedFile(path, purpose: "the certificate-authority")
        authority = (try? file.content()).map(Base64.encode) ?? ""
      }
      cluster = .fields([
        "server": .string(access.server),
        "tls-server-name": access.serverName.map { .string($0) },
        "insecure-skip-tls-verify": access.isUnchecked ? .bool(true) : nil,
        "certificate-authority-data": authority.isEmpty ? nil : .string(authority),
        "proxy-url": access.proxy.map { .string($0.text) },
        "disable-compression": access.isCompressed ? nil : .bool(true),
        "config": program.clusterSettings.flatMap { try? JSONReader.read($0) },
      ])
    }
    return .fields([
      "apiVersion": .string(program.apiVersion), "kind": .string("ExecCredential"),
      "spec": .fields(["interactive": .bool(false), "cluster": cluster]),
    ])
  }

  /// What is wrong with an answer, without a word of it.
  private struct AnswerProblem: Error {
    var words: String
  }

  private static func read(_ output: [UInt8], _ version: String) throws -> ProgramCredential {
    guard let answer = try? JSONReader.read(output, sizeLimit: answerLimit) else {
      throw AnswerProblem(words: "wrote no JSON; it should write an ExecCredential")
    }
    guard answer["kind"]?.string == "ExecCredential", answer["apiVersion"]?.string == version else {
      throw AnswerProblem(words: "wrote no ExecCredential of \(version)")
    }
    let status = answer["status"]
    var credential = ProgramCredential()
    credential.token = status?["token"]?.string.flatMap { $0.isEmpty ? nil : Secret($0) }
    credential.certificate = status?["clientCertificateData"]?.string.map { Array($0.utf8) }
    credential.key = status?["clientKeyData"]?.string.map { Secret($0) }
    guard (credential.certificate == nil) == (credential.key == nil) else {
      throw AnswerProblem(words: "gave only one of clientCertificateData and clientKeyData")
    }
    guard credential.token != nil || credential.certificate != nil else {
      throw AnswerProblem(words: "gave neither a token nor a certificate")
    }
    if let text = status?["expirationTimestamp"]?.string {
      guard let expiry = Timestamp(text) else {
        throw AnswerProblem(words: "gave an expirationTimestamp that is no time")
      }
      credential.expiry = expiry
    }
    return credential
  }
}
