// This host as readings: files are only read, the database is asked in transactions that can't write.

import ClusterModel
import Controller
import Glibc
import PostgreSQLStorage
import Storage
import Wire

extension SiteReadings {
  /// More is no oar.conf.
  private static let configurationLimit = 1 << 20
  /// How long a database that is away is waited for.
  private static let patience = Duration.seconds(2)

  /// This host.
  static func live() -> SiteReadings {
    live { name in getenv(name).map { String(cString: $0) } }
  }

  /// - Parameter environment: the values of variables of the environment.
  static func live(_ environment: (String) -> String?) -> SiteReadings {
    var readings = SiteReadings()
    readings.user = accountName(geteuid())
    readings.configurationPath = environment("OARCONFFILE") ?? Configuration.standardPath
    do throws(FileFailure) {
      let bytes = try readFile(readings.configurationPath, limit: configurationLimit)
      readings.configuration = .success(String(decoding: bytes, as: UTF8.self))
    } catch {
      readings.configuration = .failure(Unreadable(reason: text(of: error)))
    }
    readings.directory = environment("OARDIR") ?? "/usr/lib/oar"
    readings.packages = DebianPackages.installed()
    guard case .success(let text) = readings.configuration else {
      readings.lookAtPrograms(Configuration())
      return readings
    }
    let configuration = Configuration(parsing: text)
    readings.lookAtPrograms(configuration)
    readings.unusable = unusable(configuration)
    readings.database = database(configuration)
    readings.port = PortReading.live(
      host: configuration.text("SERVER_HOSTNAME", default: "localhost"),
      port: Int(configuration.text("SERVER_PORT", default: "6666")) ?? 6666)
    return readings
  }

  private static func accountName(_ user: uid_t) -> String {
    guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return "\(user)" }
    return String(cString: name)
  }

  private static func text(of failure: FileFailure) -> String {
    switch failure {
    case .system(let code): String(cString: strerror(code))
    case .tooLong: "it is too long"
    }
  }

  // MARK: Programs

  private mutating func lookAtPrograms(_ configuration: Configuration) {
    programs = Set(
      ["Almighty", "bipbip", "Leon", "oar_meta_sched", "kao"].filter {
        isProgram("\(directory)/\($0)")
      })
    let path = configuration.text("SCHEDULERS_PATH", default: "")
    schedulersDirectory = path.isEmpty ? directory + "/schedulers" : path
    schedulers = names(in: schedulersDirectory).map { names in
      Set(names.filter { isProgram("\(schedulersDirectory)/\($0)") })
    }
    let own = ownFolder()
    let folders = [own, "/usr/lib/liburna", directory, "/usr/sbin", "/usr/bin"].compactMap { $0 }
    for program in ["kamelot", "kao", "liburnad", "liburna-node"] {
      ownPrograms[program] = folders.map { "\($0)/\(program)" }.first { isProgram($0) }
    }
    let quotas =
      (configurationPath.lastIndex(of: "/").map { String(configurationPath[..<$0]) } ?? "/etc/oar")
      + "/scheduler_quotas.conf"
    perlQuotas = access(quotas, F_OK) == 0 ? quotas : nil
  }

  private func isProgram(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_mode & 0o111 != 0
  }

  private func names(in directory: String) -> [String]? {
    guard let stream = opendir(directory) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }

  private func ownFolder() -> String? {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    let text = String(cString: path)
    return text.lastIndex(of: "/").map { String(text[..<$0]) }
  }

  // MARK: Values and rows

  /// At most so many variables are told.
  private static let tolerance = 32

  /// What our programs would say of `oar.conf`: the planners of the values that they pass over, the server of
  /// those that stop it.
  private static func unusable(_ configuration: Configuration) -> [UnusableValue] {
    var values: [UnusableValue] = []
    var given = configuration
    for isServers in [false, true] {
      given["LIBURNA_WITH_OAR2"] = isServers ? "yes" : nil
      for _ in 0..<tolerance {
        do {
          _ = try ServerSettings(given)
          break
        } catch let error as ConfigurationError {
          if error.name == "DB_TYPE" {
            given["DB_TYPE"] = "Pg"
          } else {
            values.append(
              UnusableValue(name: error.name, text: "\(error)", isServers: isServers))
            if given[error.name] == nil { break }
            given[error.name] = nil
          }
        } catch {
          values.append(UnusableValue(name: "oar.conf", text: "\(error)", isServers: isServers))
          break
        }
      }
    }
    return values
  }

  private static func database(_ configuration: Configuration) -> DatabaseReading {
    guard let choice = try? DatabaseChoice(configuration), case .postgreSQL(var settings) = choice
    else { return .notAsked }
    settings.patience = patience
    do throws(StorageError) { return .read(try PostgreSQLStorage.survey(settings)) } catch {
      return .refused("\(error)")
    }
  }
}
