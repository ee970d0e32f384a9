# Writes conversions.json: what R says of numbers that stand between print and effect size.
# Rscript tests/golden/regenerate_conversions.R [folder]     Debian: r-cran-metafor r-cran-jsonlite
suppressMessages({library(metafor); library(jsonlite)})
folder <- commandArgs(trailingOnly = TRUE)
folder <- if (length(folder)) folder[1] else "tests/golden"
num <- function(x) signif(as.numeric(x), 16)

# R's own t test of a difference: its interval, t and p, from which the common SD of the groups must come back.
x <- sleep$extra[sleep$group == 1]; y <- c(sleep$extra[sleep$group == 2], 3.1, 0.4)
both <- t.test(x, y, var.equal = TRUE)
alone <- t.test(x)
pooled_sd <- sqrt(((length(x) - 1) * var(x) + (length(y) - 1) * var(y)) / (length(x) + length(y) - 2))
t_tests <- list(call = "t.test(x), t.test(x, y, var.equal = TRUE), sleep$extra (Cushny and Peebles 1905) and two more",
  n1 = length(x), n2 = length(y), difference = num(mean(x) - mean(y)), t = num(both$statistic), p = num(both$p.value),
  ci = num(both$conf.int), common_sd = num(pooled_sd), mean_ci = num(alone$conf.int), sd = num(sd(x)),
  se = num(sd(x) / sqrt(length(x))), all = list(n = length(c(x, y)), mean = num(mean(c(x, y))), sd = num(sd(c(x, y)))),
  arms = list(num(c(length(x), mean(x), sd(x))), num(c(length(y), mean(y), sd(y)))))

# metafor 3.8 has no conv.fivenum; these are the equations it has since (method luo/wan/shi for the mean, wan2014
# for the SD): Luo 2018 (7), (11), (15) and Wan 2014 (9), (16).
summaries <- data.frame(n = c(50, 9, 50, 201, 50, 12), low = c(2, -3, NA, NA, 2, 1), q1 = c(NA, NA, 7, 0.5, 7, 2),
  median = c(10, 1.5, 10, 0.9, 10, 2.5), q3 = c(NA, NA, 14, 2.5, 14, 6), high = c(20, 4, NA, NA, 20, 30))
xi <- with(summaries, 2 * qnorm((n - 0.375) / (n + 0.25))); eta <- with(summaries, 2 * qnorm((0.75 * n - 0.125) / (n + 0.25)))
w <- with(summaries, list(range = 4 / (4 + n^0.75), quartiles = 0.7 + 0.39 / n, ends = 2.2 / (2.2 + n^0.75), inner = 0.7 - 0.72 / n^0.55))
summaries <- within(summaries, {
  sd <- num(ifelse(is.na(q1), (high - low) / xi, ifelse(is.na(low), (q3 - q1) / eta, ((high - low) / xi + (q3 - q1) / eta) / 2)))
  mean <- num(ifelse(is.na(q1), w$range * (low + high) / 2 + (1 - w$range) * median,
    ifelse(is.na(low), w$quartiles * (q1 + q3) / 2 + (1 - w$quartiles) * median,
      w$ends * (low + high) / 2 + w$inner * (q1 + q3) / 2 + (1 - w$ends - w$inner) * median)))
})

means <- data.frame(m1i = c(12.4, 30), sd1i = c(4, 7.5), n1i = c(20, 51), m2i = c(10, 33), sd2i = c(5, 6), n2i = c(22, 48))
or <- escalc(measure = "D2ORL", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = means)
d <- with(means, (m1i - m2i) / sqrt(((n1i - 1) * sd1i^2 + (n2i - 1) * sd2i^2) / (n1i + n2i - 2)))  # which it converts
risks <- data.frame(odds_ratio = c(2.5, 0.4, 9), baseline_risk = c(0.2, 0.65, 0.01))
risks$risk_ratio <- num(mapply(function(o, r) transf.logortorr(log(o), r), risks$odds_ratio, risks$baseline_risk))
at <- c(-1.3, 0, 0.7)
shown <- list(RR = num(exp(at)), PLO = num(transf.ilogit(at)), PLN = num(exp(at)), ZCOR = num(transf.ztor(at)),
              PAS = num(sapply(c(0, 0.4, 1.2), transf.iarcsin)))

angles <- data.frame(angle = c(0.05, 0.1, 0.45, 0.9, 1.45, 1.57), people = c(30, 40, 30, 12, 25, 20))
few <- escalc(measure = "PFT", xi = c(0, 5, 12, 3, 9), ni = c(10, 25, 20, 9, 31))
fit <- rma(few, test = "z", method = "DL")
read <- predict(fit, transf = transf.ipft.hm, targs = list(ni = c(10, 25, 20, 9, 31)))

writeLines(toJSON(list(
  made_by = list(R = R.version.string, metafor = as.character(packageVersion("metafor"))), t_tests = t_tests,
  summaries = as.list(summaries), smd_to_or = list(call = 'escalc(measure = "D2ORL")', d = num(d), vd = num(with(means, 1 / n1i + 1 / n2i + d^2 / (2 * (n1i + n2i)))), yi = num(or$yi), vi = num(or$vi)),
  or_to_rr = c(list(call = "transf.logortorr"), as.list(risks)),
  shown = list(call = "exp, transf.ilogit, transf.ztor, transf.iarcsin", at = at, at_angles = c(0, 0.4, 1.2), values = shown),
  freeman_tukey = list(call = "transf.ipft; predict(rma(method = \"DL\", test = \"z\"), transf = transf.ipft.hm)",
    angle = angles$angle, people = angles$people, proportion = num(mapply(transf.ipft, angles$angle, angles$people)),
    xi = c(0, 5, 12, 3, 9), ni = c(10, 25, 20, 9, 31), shown = num(c(read$pred, read$ci.lb, read$ci.ub)),
    prediction = num(c(read$pi.lb, read$pi.ub)))),
  digits = NA, auto_unbox = TRUE, na = "null"), file.path(folder, "conversions.json"))
