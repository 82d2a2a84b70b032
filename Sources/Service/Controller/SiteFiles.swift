// The files of a site that `oar.conf` names: the weights of priorities and the quotas.

import ClusterModel
import Encoding
import Glibc
import Kamelot
import Wire

/// A file whose path is the value of a variable.
struct SiteFile {
  let variable: String
  let path: String
  /// More is no file that somebody wrote.
  static let sizeLimit = 16 << 20

  /// - Throws: ``ConfigurationError`` if the file can't be read.
  func text() throws(ConfigurationError) -> String {
    do { return String(decoding: try readFile(path, limit: Self.sizeLimit), as: UTF8.self) } catch {
      switch error {
      case .system(let code): throw unusable(String(cString: strerror(code)))
      case .tooLong: throw unusable("longer than 16 MiB")
      }
    }
  }

  /// The error that the file, as it is, can't be used.
  func unusable(_ problem: String) -> ConfigurationError {
    ConfigurationError(
      name: variable, value: path, allowed: "a file that can be used, but: \(problem)")
  }
}

extension OrderSettings {
  /// Reads the variables and, if the order needs one, the PRIORITY_CONF_FILE.
  static func ofSite(_ configuration: Configuration) throws -> OrderSettings {
    guard configuration["JOB_PRIORITY"] == "MULTIFACTOR",
      let path = configuration["PRIORITY_CONF_FILE"], !path.isEmpty
    else { return try OrderSettings(configuration) }
    let file = SiteFile(variable: "PRIORITY_CONF_FILE", path: path)
    do {
      return try OrderSettings(configuration, priorityFile: try file.text())
    } catch let error as PriorityFileError {
      throw file.unusable("\(error)")
    }
  }
}

/// A site's quotas as they are written: what `ALL` means there changes with the cluster.
public struct QuotaSettings: Sendable {
  /// What the QUOTAS_CONF_FILE holds: a JSON object.
  public let document: JSONValue
  /// QUOTAS_WINDOW_TIME_LIMIT: if rules change with time, how far jobs are planned ahead.
  public let windowLimit: Seconds

  /// Reads the variables and the file; `nil` unless QUOTAS says yes.
  ///
  /// - Throws: ``ConfigurationError``; a rule that can't be understood throws nothing.
  public init?(_ configuration: Configuration) throws(ConfigurationError) {
    guard try configuration.flag("QUOTAS", default: false) else { return nil }
    windowLimit = try configuration.integer(
      "QUOTAS_WINDOW_TIME_LIMIT", default: Quotas.standardWindowLimit, in: 0...endOfTime)
    let file = SiteFile(
      variable: "QUOTAS_CONF_FILE",
      path: configuration.text("QUOTAS_CONF_FILE", default: "/etc/oar/quotas_conf.json"))
    let text = try file.text()
    do {
      document = try JSONReader.read(text)
      _ = try Quotas(document, allResources: 0)
    } catch {
      throw file.unusable("\(error)")
    }
  }

  /// The quotas of a cluster where `ALL` is so many; `nil` never, since the document was read before.
  func quotas(allResources: Int, clock: LocalClock) -> Quotas? {
    try? Quotas(document, allResources: allResources, clock: clock, windowLimit: windowLimit)
  }
}

/// The users that the file `unlimited_reservation.users` of the user `oar` lists, one a line; none without it.
func unlimitedReservationUsersOfSite() -> Set<String> {
  guard let account = getpwnam("oar"), let home = account.pointee.pw_dir else { return [] }
  let path = String(cString: home) + "/unlimited_reservation.users"
  guard let text = try? SiteFile(variable: "", path: path).text() else { return [] }
  let names = text.split { $0.isNewline }.map { line in
    String(line.drop { $0.isWhitespace }.prefix { !$0.isWhitespace })
  }
  return Set(names).subtracting([""])
}
