# How much room and load there is. Changes nothing.
read_args
free_percent() { df -Pk -- "$1" 2>/dev/null | awk 'NR == 2 && $2 > 0 { print int($4 * 100 / $2); ok = 1 } END { if (!ok) print 0 }'; }
memory() { awk -v key="$1:" '$1 == key { print int($2 / 1024); ok = 1 } END { if (!ok) print 0 }' /proc/meminfo; }
say_done "{\"root_free_percent\":$(free_percent /),\"var_free_percent\":$(free_percent /var),\"boot_free_percent\":$(free_percent /boot),\"memory_total_mib\":$(memory MemTotal),\"memory_available_mib\":$(memory MemAvailable),\"swap_free_mib\":$(memory SwapFree),\"load1\":$(cut -d' ' -f1 /proc/loadavg),\"cpus\":$(grep -c '^processor' /proc/cpuinfo),\"uptime_s\":$(cut -d. -f1 /proc/uptime)}"
