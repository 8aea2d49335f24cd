-- +goose Up
-- The domains that stand beside a company's name in the rows of a list: where other rows of the account name the company only. Goes with its list.
CREATE TABLE company_domains (
  list_id    bigint NOT NULL,
  account_id bigint NOT NULL,
  company    text NOT NULL, -- finder.CompanyKey
  domain     text NOT NULL,
  rows       bigint NOT NULL,
  PRIMARY KEY (list_id, company, domain)
);
CREATE INDEX company_domains_company ON company_domains (account_id, company);
-- The addresses that an account's files bring along, by their domain: they show how the company writes its addresses, to that account.
CREATE INDEX records_given ON records (account_id, lower(split_part(address, '@', 2))) WHERE address <> '';

-- +goose Down
DROP INDEX records_given;
DROP TABLE company_domains;
