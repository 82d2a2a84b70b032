"""Asks Monika and DrawGantt, as Debian's oar-web-status has them, for their pages, and says what is on them:
which columns, which jobs. What the pages are made of are their own queries to the database."""

import re

PACKAGES = ["oar-web-status", "php-cli", "php-pgsql", "libdbd-pg-perl", "libcgi-pm-perl"]
# Both programs take their settings from /etc/oar; they run as a web server would run them.
CONFIGURE = r"""
cd /etc/oar
password=$(sed -n 's/^DB_BASE_PASSWD_RO="\(.*\)"/\1/p' oar.conf)
sed -i "s/^hostname .*/hostname = server/; s/^password .*/password = $password/" monika.conf
sed -i "s/\(CONF\['db_server'\]\)=.*/\1=\"server\";/; s/\(CONF\['db_passwd'\]\)=.*/\1=\"$password\";/" \
  drawgantt-config.inc.php
"""
MONIKA = ("cd /usr/lib/cgi-bin && exec env -i PATH=/usr/bin:/bin REQUEST_METHOD=GET QUERY_STRING=\"$1\" ./monika.cgi")
GANTT = ("cd /usr/share/oar-web-status/drawgantt-svg && exec php -r '"
         "$_GET = $_REQUEST = [\"start\" => time() - $argv[1], \"stop\" => time() + 7200, "
         "\"resource_base\" => \"network_address\"]; include \"drawgantt-svg.php\";' \"$1\" | gunzip")


def configure(lab):
    lab.must("server", "sh", "-euc", CONFIGURE)


def monika(lab, query=""):
    return lab.must("server", "sh", "-c", MONIKA, "sh", query)


def cells(row):
    """The texts of a table's row."""
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]


def details(page):
    """Monika's table of jobs: its columns, and the rows by job."""
    part = page.partition("Job details:")[2]
    rows = [cells(row) for row in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)]
    rows = [row for row in rows if row]
    return (rows[0], {int(row[0]): row for row in rows[1:] if row[0].isdigit()}) if rows else ([], {})


def labels(page):
    """The first cell of each row of a page on one job or node."""
    return sorted({re.sub(r"<[^>]*>", "", found) for found in re.findall(r"<i>(.*?)</i>", page)
                   if not re.fullmatch(r"(<[^>]*>)*\d*", found)})


def gantt(lab, past):
    """DrawGantt's picture of the last `past` seconds and the next hours: jobs, and what it says of one."""
    picture = lab.must("server", "sh", "-c", GANTT, "sh", str(past))
    texts = re.findall(r"(Jobid: (\d+)\|[^']*)", picture)
    said = sorted({part.partition(":")[0] for part in texts[0][0].split("|")}) if texts else []
    return {int(number) for _, number in texts}, said


def look(lab, past):
    """What the pages show now; findings are what they should show and don't."""
    running = int(lab.database.value("select coalesce(min(job_id), 0) from jobs where state = 'Running'"))
    live = {int(line) for line in lab.database.lines(
        "select job_id from jobs where state in ('Waiting', 'Hold', 'toLaunch', 'Launching', 'Running', 'Suspended')")}
    started = {int(line) for line in lab.database.lines(
        f"select job_id from jobs where start_time > extract(epoch from now()) - {past - 60} "
        "and assigned_moldable_job <> 0")}
    planned = {int(line) for line in lab.database.lines(
        "select m.moldable_job_id from gantt_jobs_predictions_visu g join moldable_job_descriptions m "
        "on g.moldable_job_id = m.moldable_id where g.start_time < extract(epoch from now()) + 7000 "
        "and m.moldable_job_id not in (select job_id from job_types where type = 'besteffort')")}
    columns, jobs = details(monika(lab))
    shown, said = gantt(lab, past)
    findings = []
    if missing := live - jobs.keys():
        findings.append(f"Monika does not show jobs {sorted(missing)}")
    if missing := (started | planned) - shown:
        findings.append(f"DrawGantt does not show jobs {sorted(missing)[:20]}")
    return {
        "shape": {
            "Monika's columns": columns,
            "Monika's page of a job": labels(monika(lab, f"job={running}")),
            "Monika's page of a node": labels(monika(lab, "node=node1")),
            "DrawGantt's texts": said,
            "a running job's row": [re.sub(r"[\d:-]+", "<n>", cell) for cell in jobs.get(running, [])],
        },
        "jobs of Monika": len(jobs), "jobs of DrawGantt": len(shown), "findings": findings,
    }
